/* openpgp_loop.h - waiting for one gpg, for openpgp.c and openpgp_keys.c only
 *
 * gpgme's own loop serves all its contexts at once: two filters in one chain
 * would pull each other's input, and it waits without an end. Here each watches
 * its own gpg (gpgme manual, "Using External Event Loops"). */

#ifndef ANKLUME_STREAM_OPENPGP_LOOP_H
#define ANKLUME_STREAM_OPENPGP_LOOP_H

#include <gpgme.h>
#include <stdbool.h>

struct error;

/* Input, output, status and log of a gpg, and room to spare. */
#define OPENPGP_WATCHES_MAX 16

/* A descriptor that gpgme wants to know ready. */
struct openpgp_watch {
	int fd;
	short events;
	gpgme_io_cb_t call; /* NULL: a free place */
	void *data;
	bool is_output;
};

/* The caller sets what it wants of the first six; the rest starts as zero. */
struct openpgp_loop {
	int patience_ms; /* how long gpg may be silent */
	bool eager;	 /* gpg's input may be far ahead of its output */
	void (*on_key)(void *handle, gpgme_key_t key); /* borrowed */

	/* gpg takes input at `fd`, or gives output. True: seen to. False: there
	 * is no more, or it failed; gpgme then asks its data object, and closes
	 * the pipe. Which one gives output is only known once gpgme's own call
	 * has brought some, and openpgp_loop_is_output() was said in it. */
	bool (*on_hungry)(void *handle, int fd);
	bool (*on_full)(void *handle, int fd);
	void *handle; /* of all three */

	bool running;
	gpgme_error_t verdict;	       /* of the operation that ran */
	struct openpgp_watch *serving; /* whose call is going on, or NULL */
	struct openpgp_watch watches[OPENPGP_WATCHES_MAX];
};

/* Make the operations started in `context` run in `loop`, which must live as
 * long. */
void openpgp_loop_attach(struct openpgp_loop *loop, gpgme_ctx_t context);

/* Inside a call of gpgme's: what it brings is gpg's output. */
void openpgp_loop_is_output(struct openpgp_loop *loop);

/* Wait until gpg takes or gives something, and let gpgme see to it. 0, or -1
 * when interrupted or when gpg is silent for too long. */
int openpgp_loop_step(struct openpgp_loop *loop, struct error *err);

#endif
