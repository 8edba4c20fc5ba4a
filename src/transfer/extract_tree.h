/* extract_tree.h - one pass over an archive: what is wanted goes to its place
 * as it comes by; for extract.c only */

#ifndef ANKLUME_TRANSFER_EXTRACT_TREE_H
#define ANKLUME_TRANSFER_EXTRACT_TREE_H

struct backup_view;
struct copy_result;
struct error;
struct extract_tops;
struct tree_request;

/* Whether a file may go from its path in the instance to its path at the
 * target: -1 with ERROR_DENIED when not. NULL: every one may. */
struct extract_judge {
	int (*judge)(
	    void *data, const char *from, const char *to, struct error *err);
	void *data;
};

/* Hand over the members of `view`, whose wish are the paths of the tops that
 * are `taken`, in their order. A link that a top is, or leads through, gives it
 * another path, for another pass; so does a hard link to what is not among
 * them, as a top of its own. The rest is as for tree_copy(). */
int extract_tree(const struct tree_request *request,
    const struct extract_judge *judge, struct backup_view *view,
    struct extract_tops *tops, struct copy_result *result, struct error *err);

#endif
