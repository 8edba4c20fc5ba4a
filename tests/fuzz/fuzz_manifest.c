/* A manifest of any bytes: read, printed again, and beside its archive in the
 * list and for `show`, whatever its fields are. */

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "check.h"
#include "store/manifest.h"
#include "transfer/backup_list.h"
#include "transfer/watch.h"

static char directory[] = "/tmp/anklume-fuzz-XXXXXX";
static char archive[sizeof(directory) + sizeof("/a.tar")];
static char sidecar[sizeof(archive) + sizeof(".json")];

static void
remove_all(void)
{
	(void)unlink(sidecar);
	(void)unlink(archive);
	(void)rmdir(directory);
}

static void
put_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	CHECK(file != NULL);
	CHECK(fwrite(data, 1, size, file) == size);
	CHECK(fclose(file) == 0);
}

static void
prepare(void)
{
	if (*archive != '\0')
		return;
	CHECK(mkdtemp(directory) != NULL);
	(void)snprintf(archive, sizeof(archive), "%s/a.tar", directory);
	(void)snprintf(sidecar, sizeof(sidecar), "%s.json", archive);
	CHECK(atexit(remove_all) == 0);
	put_file(archive, (const uint8_t *)"", 0);
}

static void
parse(const uint8_t *data, size_t size)
{
	struct error err = {0};
	/* As manifest_read() hands it over. */
	char *text = malloc(size + 1);
	struct manifest_files files = {.text = text, .size = size};
	json_t *manifest;

	CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	manifest = manifest_parse("A", &files, &err);
	if (manifest == NULL) {
		check_error(&err);
		CHECK(err.code == ERROR_DAMAGED);
	} else {
		char *printed = manifest_print(manifest, &err);
		struct manifest_files again = {.text = printed};
		json_t *reread;

		CHECK(printed != NULL);
		again.size = strlen(printed);
		reread = manifest_parse("A", &again, &err);
		CHECK(reread != NULL && json_equal(reread, manifest));
		json_decref(reread);
		json_decref(manifest);
		free(printed);
	}
	free(text);
}

static void
show(const uint8_t *data, size_t size)
{
	const struct backup_list_request list = {.from = directory};
	const struct backup_show_request one = {.backup = archive};
	struct watch watch = {0};
	struct error err = {0};
	json_t *shown = NULL;

	put_file(sidecar, data, size);
	/* Something lies there, whatever is said about it. */
	CHECK(backup_list(&list, &shown, &err) == 0);
	CHECK(json_array_size(shown) == 1);
	json_decref(shown);
	shown = NULL;
	check_result(backup_show(&one, &watch, &shown, &err), &err);
	json_decref(shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	parse(data, size);
	show(data, size);
	return 0;
}
