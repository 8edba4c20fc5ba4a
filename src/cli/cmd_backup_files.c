#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/configured.h"
#include "cli/output.h"
#include "stream/backup_members.h"
#include "transfer/backup_files.h"

struct files_options {
	const char *from;
	const char *snapshot;
};

#define FIELD(name) offsetof(struct files_options, name)

static const struct option_spec specs[] = {
    {"snapshot", 0, OPTION_TEXT, FIELD(snapshot), N_("NAME"),
	N_("of a snapshot in the archive, not of the instance itself"),
	WORD_ARCHIVED_SNAPSHOT},
    {"from", 0, OPTION_TEXT, FIELD(from), N_("DIR"),
	N_("where BACKUP is looked for; default: backups"), WORD_ARCHIVES},
    {0},
};

/* In JSON, and the letter that ls(1) has for it. */
static const struct kind {
	enum tar_type type;
	char letter;
	const char *name;
} kinds[] = {
    {TAR_FILE, '-', "file"},
    {TAR_HARD_LINK, 'h', "hard link"},
    {TAR_SYMLINK, 'l', "symlink"},
    {TAR_CHARACTER_DEVICE, 'c', "character device"},
    {TAR_BLOCK_DEVICE, 'b', "block device"},
    {TAR_DIRECTORY, 'd', "directory"},
    {TAR_FIFO, 'p', "fifo"},
};

static const struct kind *
kind_of(enum tar_type type)
{
	size_t i = 0;

	while (kinds[i].type != type)
		i++;
	return &kinds[i];
}

/* "-rwsr-xr-x", as ls(1) shows it. */
static const char *
show_mode(char buf[11], const struct backup_member *member)
{
	static const char bits[] = "rwxrwxrwx";
	static const struct {
		uint32_t special;
		size_t at;
		const char *letters; /* with the bit to execute, and without */
	} specials[] = {
	    {S_ISUID, 3, "sS"}, {S_ISGID, 6, "sS"}, {S_ISVTX, 9, "tT"}};

	buf[0] = kind_of(member->type)->letter;
	for (size_t i = 0; i < 9; i++) {
		bool set = (member->mode >> (8 - i) & 1) != 0;

		buf[i + 1] = (char)(set ? bits[i] : '-');
	}
	for (size_t i = 0; i < 3; i++) {
		if ((member->mode & specials[i].special) != 0)
			buf[specials[i].at] =
			    specials[i].letters[buf[specials[i].at] == '-'];
	}
	buf[10] = '\0';
	return buf;
}

static void
print_line(struct output *output, const struct backup_member *member,
    uint32_t uid, uint32_t gid)
{
	bool is_link = *member->link != '\0';
	char mode[11];
	char when[CLOCK_TEXT_BYTES];
	char path[2 * TAR_NAME_BYTES];
	char link[2 * TAR_NAME_BYTES];

	text_escape(path, sizeof(path), member->path, strlen(member->path));
	text_escape(link, sizeof(link), member->link, strlen(member->link));
	output_line(output, "%s %5u %5u %12llu %s %s%s%s",
	    show_mode(mode, member), uid, gid,
	    (unsigned long long)member->size_bytes,
	    clock_local(when, (time_t)member->mtime_s), path,
	    is_link ? " -> " : "", is_link ? link : "");
}

static void
tell(void *data, const struct backup_member *member, uint32_t uid, uint32_t gid)
{
	char when[CLOCK_TEXT_BYTES];

	print_line(data, member, uid, gid);
	output_item(data, "files",
	    json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:s, s:o*}", "path",
		json_string_escaped(member->path), "type",
		kind_of(member->type)->name, "mode", (json_int_t)member->mode,
		"uid", (json_int_t)uid, "gid", (json_int_t)gid, "size_bytes",
		(json_int_t)member->size_bytes, "modified_at",
		clock_utc(when, (time_t)member->mtime_s), "target",
		*member->link != '\0' ? json_string_escaped(member->link)
				      : NULL));
}

static int
run(const struct invocation *invocation, struct error *err)
{
	const struct files_options *options = invocation->options;
	const struct backup_files_request request = {
	    .backup = invocation->arguments[0],
	    .from = configured_from(invocation, options->from),
	    .project = invocation->global->project,
	    .snapshot = options->snapshot,
	    .pattern = invocation->argument_count > 1 ? invocation->arguments[1]
						      : NULL,
	    .tell = tell,
	    .data = invocation->output,
	};

	return backup_files(&request, output_watch(invocation->output), err);
}

const struct command backup_files_command = {
    .words = "backup files",
    .arguments = N_("BACKUP [GLOB]"),
    .summary = N_("list the files in a backup, as seen in the instance"),
    .details = N_("GLOB is a path, with all that is below it, or a pattern: of "
		  "whole paths\nwhere there is a '/' in it, else of names.\n"),
    .examples = "  anklume backup files web /etc\n"
		"  anklume backup files web@yesterday '*.conf'\n"
		"  anklume backup files web --snapshot before-upgrade /srv\n",
    .options = specs,
    .options_size = sizeof(struct files_options),
    .configured = true,
    .arguments_min = 1,
    .arguments_max = 2,
    .argument_kinds = {WORD_BACKUP, WORD_ARCHIVED_FILE},
    .run = run,
};
