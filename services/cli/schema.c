/* schema: the catalogue as documents. */
#include "proto/schema.h"
#include "base/text.h"
#include "cli.h"

struct schema {
    struct cli *cli;
    int form;
    const char *type;
};

static error_t schema_parse(int key, char *arg, struct argp_state *state)
{
    struct schema *schema = state->input;
    switch (key) {
    case 'a':
    case 's':
    case 'q':
        schema->form = key;
        return 0;
    case ARGP_KEY_ARG:
        schema->type = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_schema(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"asyncapi", 'a', NULL, 0, "AsyncAPI 3", 0},
        {"json-schema", 's', NULL, 0, "JSON Schema of the events' data", 0},
        {"questions", 'q', NULL, 0, "what may be asked", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, schema_parse, "[TYPE]",
        "Print the catalogue of events: as a table, one type's fields, or as a "
        "document.\vExamples:\n"
        "  aftercare schema ticket.registered\n  aftercare schema --asyncapi > asyncapi.json"};
    struct schema schema = {.cli = cli};
    cli_parse(&syntax, argc, argv, &schema);
    struct buf out = {0};
    int code = CLI_DONE;
    const struct event_type *type = schema.type != NULL ? event_type_find(schema.type, 0) : NULL;
    if (schema.type != NULL && type == NULL)
        code = cli_fail(cli, CLI_USAGE, in_words(cli->language, "`aftercare schema` lists them."),
                        in_words(cli->language, "there is no event \"%s\""), schema.type);
    else if (schema.form == 'a')
        schema_print_asyncapi(&out);
    else if (schema.form == 's' || (cli->json && schema.form == 0))
        schema_print_json(&out);
    else if (schema.form == 'q')
        schema_print_questions(&out);
    else if (type != NULL)
        schema_print_type(type, cli->language == CHINESE, &out);
    else
        schema_print_table(cli->language == CHINESE, &out);
    fputs(buf_text(&out), stdout);
    buf_release(&out);
    return code;
}
