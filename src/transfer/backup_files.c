#include "transfer/backup_files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/i18n.h"
#include "transfer/backup_view.h"
#include "transfer/backup_word.h"
#include "transfer/inner_path.h"
#include "transfer/watch.h"

/* As many links as Linux follows (MAXSYMLINKS). */
#define LINKS_MAX 40

struct listing {
	const struct backup_files_request *request;
	const struct watch *watch;
	const char *archive;
	char *path; /* that is looked for; NULL: a pattern */
	size_t count;
};

/* Paths are found sooner than patterns: what follows them is not read. A "/" in
 * what does not begin at the root matches nothing. */
static int
choose(struct listing *listing, struct error *err)
{
	const char *pattern = listing->request->pattern;

	bool of_names = pattern != NULL && strchr(pattern, '/') == NULL;
	bool is_glob = pattern != NULL && strpbrk(pattern, "*?[") != NULL;

	if (of_names || (is_glob && *pattern == '/'))
		return 0;
	listing->path = inner_path(pattern != NULL ? pattern : "/", err);
	return listing->path != NULL ? 0 : -1;
}

/* 1 where the path leads elsewhere: there now. */
static int
follow(struct listing *listing, const struct backup_member *link,
    struct error *err)
{
	char *path =
	    inner_path_follow(listing->path, link->path, link->link, err);

	if (path == NULL)
		return -1;
	free(listing->path);
	listing->path = path;
	return 1;
}

static int
tell_all(struct listing *listing, struct backup_view *view, struct error *err)
{
	const struct backup_files_request *request = listing->request;
	const struct backup_member *member;
	int found;

	while ((found = backup_view_next(view, &member, err)) > 0) {
		if (member->pick == PICK_WAY)
			return follow(listing, member, err);
		request->tell(request->data, member,
		    owner_map_uid(&view->owners, member->uid),
		    owner_map_gid(&view->owners, member->gid));
		listing->count++;
	}
	if (found == 0 && backup_members_stopped_early(view->members))
		backup_view_note_early(listing->archive, listing->watch);
	return found;
}

static int
list(struct listing *listing, struct error *err)
{
	auto_backup_view struct backup_view view = {0};
	const char *paths[] = {listing->path};
	struct backup_wish wish = {
	    .snapshot = listing->request->snapshot,
	    .paths = paths,
	    .path_count = listing->path != NULL ? 1 : 0,
	    .pattern = listing->path == NULL ? listing->request->pattern : NULL,
	};

	if (backup_view_open(
		&view, listing->archive, &wish, listing->watch, err) < 0)
		return -1;
	return tell_all(listing, &view, err);
}

static int
list_where_it_leads(struct listing *listing, struct error *err)
{
	int status = 1;

	for (int i = 0; i < LINKS_MAX && status > 0; i++)
		status = list(listing, err);
	if (status < 0)
		return -1;
	if (listing->count == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    _("nothing in '%s' matches '%s'"), listing->archive,
		    listing->request->pattern != NULL
			? listing->request->pattern
			: "/");
	return 0;
}

int
backup_files(const struct backup_files_request *request,
    const struct watch *watch, struct error *err)
{
	const struct backup_search search = {request->from, request->project};
	struct listing listing = {.request = request, .watch = watch};
	auto_free char *archive = NULL;
	int status = choose(&listing, err);

	if (status == 0)
		status = backup_word_find(
		    request->backup, &search, watch, &archive, err);
	listing.archive = archive;
	if (status == 0) {
		watch_start(watch, archive, 0);
		status = list_where_it_leads(&listing, err);
		watch_stop(watch);
	}
	free(listing.path);
	return status;
}
