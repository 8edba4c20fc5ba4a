#include "cli/options.h"

#include <getopt.h>
#include <string.h>

#include "base/error.h"
#include "base/i18n.h"

/* All options of a command and the global ones. */
#define OPTIONS_MAX 64

/* Long options without a letter get a number beyond any character. */
#define NUMBER_BASE 1000

/* What getopt_long wants, made from the tables. */
struct parser {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 3];
	const struct option_spec *specs[OPTIONS_MAX];
	void *fields[OPTIONS_MAX];
	size_t count;
};

static void
parser_add(struct parser *parser, const struct option_target *target)
{
	char *end = parser->shorts + strlen(parser->shorts);

	for (const struct option_spec *spec = target->specs;
	     spec != NULL && spec->name != NULL && parser->count < OPTIONS_MAX;
	     spec++) {
		bool takes_value = spec->kind != OPTION_FLAG;

		parser->longs[parser->count] = (struct option){
		    .name = spec->name,
		    .has_arg = takes_value ? required_argument : no_argument,
		    .val = NUMBER_BASE + (int)parser->count,
		};
		parser->specs[parser->count] = spec;
		parser->fields[parser->count] = target->fields;
		parser->count++;
		if (spec->letter != 0) {
			*end++ = spec->letter;
			if (takes_value)
				*end++ = ':';
			*end = '\0';
		}
	}
}

static int
find(const struct parser *parser, int found)
{
	if (found >= NUMBER_BASE)
		return found - NUMBER_BASE;
	for (size_t i = 0; i < parser->count; i++) {
		if (parser->specs[i]->letter == found)
			return (int)i;
	}
	return -1;
}

static int
assign(const struct option_spec *spec, void *fields, const char *value,
    struct error *err)
{
	void *field = (char *)fields + spec->offset;
	struct option_list *list = field;

	switch (spec->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_LIST:
		if (list->count == OPTION_LIST_MAX)
			return error_set(err, ERROR_USAGE,
			    _("--%s may be given at most %d times"), spec->name,
			    OPTION_LIST_MAX);
		list->items[list->count++] = value;
		return 0;
	}
	return 0;
}

/* getopt has found a fault; the word that it looked at is just behind. */
static int
refuse(const struct parser *parser, char **argv, int fault, struct error *err)
{
	const char *word = argv[optind - 1];

	if (fault == ':')
		return error_set(
		    err, ERROR_USAGE, _("'%s' needs a value"), word);
	if (optopt >= NUMBER_BASE)
		return error_set(err, ERROR_USAGE, _("--%s takes no value"),
		    parser->specs[optopt - NUMBER_BASE]->name);
	if (optopt != 0)
		return error_set(
		    err, ERROR_USAGE, _("unknown option '-%c'"), optopt);
	return error_set(err, ERROR_USAGE, _("unknown option '%s'"), word);
}

int
options_parse(int argc, char **argv, const struct option_target *targets,
    bool anywhere, char ***ret_arguments, struct error *err)
{
	/* "+" stops at the first argument; ":" leaves the messages to us. */
	struct parser parser = {.shorts = "+:"};
	int found;

	if (anywhere)
		memcpy(parser.shorts, ":", 2);
	for (; targets->fields != NULL; targets++)
		parser_add(&parser, targets);

	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((found = getopt_long(
		    argc, argv, parser.shorts, parser.longs, NULL)) != -1) {
		int which;

		if (found == '?' || found == ':')
			return refuse(&parser, argv, found, err);
		which = find(&parser, found);
		if (which < 0)
			continue;
		if (assign(parser.specs[which], parser.fields[which], optarg,
			err) < 0)
			return -1;
	}
	*ret_arguments = argv + optind;
	return 0;
}

void
options_print(FILE *out, const struct option_spec *specs)
{
	for (; specs != NULL && specs->name != NULL; specs++) {
		char words[64];

		if (specs->help == NULL)
			continue;
		(void)snprintf(words, sizeof(words), "%s%c%s--%s%s%s",
		    specs->letter != 0 ? "-" : " ",
		    specs->letter != 0 ? specs->letter : ' ',
		    specs->letter != 0 ? ", " : "  ", specs->name,
		    specs->value != NULL ? " " : "",
		    specs->value != NULL ? _(specs->value) : "");
		(void)fprintf(out, "  %-30s %s\n", words, _(specs->help));
	}
}
