/* What the company has before a rule begins: sites, units, customers. */
#include "base/text.h"
#include "play.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* One line of JSON: {"type", "key", "data", "at", "by"}. */
static bool network_line(struct play *play, const char *line)
{
    struct problem problem = {0};
    int64_t at_us = 0;
    json_t *event = json_loads(line, 0, NULL);
    json_t *data = json_object_get(event, "data");
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *key = json_string_value(json_object_get(event, "key"));
    const char *at = json_string_value(json_object_get(event, "at"));
    char *text = json_dumps(data != NULL ? data : event, JSON_COMPACT);
    if (at == NULL || !instant_parse(at, &at_us) || at_us > play->clock_us)
        at_us = play->clock_us;
    bool fine =
        type != NULL && text != NULL &&
        simulator_append_json(play->sim, play->clock_us, type, key, at_us,
                              json_string_value(json_object_get(event, "by")), text, &problem) != 0;
    if (!fine)
        (void)complain(play->complaint, play->script->network, "%.200s: %s %s %s", line,
                       problem.code, problem.field, problem.args);
    free(text);
    json_decref(event);
    return fine;
}

static bool network_file(struct play *play, const char *name)
{
    struct buf text = {0};
    char path[600];
    bool fine = true;
    script_path(play->script, name, path, sizeof(path));
    if (!file_load(path, &text))
        return complain(play->complaint, play->script->network, "cannot read %s", path);
    char *rest = memory_text(buf_text(&text)), *begin = rest, *line;
    while (fine && (line = strsep(&rest, "\n")) != NULL)
        fine = line[0] == '\0' || network_line(play, line);
    free(begin);
    buf_release(&text);
    return fine;
}

bool network_tell(struct play *play, const yaml_node_t *network)
{
    if (network == NULL)
        return true;
    if (network->type == YAML_SCALAR_NODE)
        return network_file(play, scalar(network));
    for (size_t i = 0; i < node_items(network); i++) {
        const yaml_node_t *fact = node_item(play->script, network, i);
        const char *type = node_text(play->script, fact, "type");
        const struct event_type *known = event_type_find(type, 0);
        struct problem problem = {0};
        struct buf json = {0};
        bool fine =
            known != NULL || complain(play->complaint, fact, "there is no event type \"%s\"", type);
        fine = fine && fact_json(play, fact, known, play->clock_us, &json);
        if (fine && simulator_append_json(play->sim, play->clock_us, type,
                                          node_text(play->script, fact, "key"), play->clock_us,
                                          NULL, buf_text(&json), &problem) == 0)
            fine = complain(play->complaint, fact, "%s: %s %s %s", type, problem.code,
                            problem.field, problem.args);
        buf_release(&json);
        if (!fine)
            return false;
    }
    return true;
}
