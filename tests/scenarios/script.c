/* A scenario's file: loaded, and its head checked. */
#include "base/text.h"
#include "scenario.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX (4 << 20)

bool file_load(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    size_t got;
    if (file == NULL)
        return false;
    do {
        got = fread(buf_reserve(out, 65536), 1, 65536, file);
        out->len += got;
    } while (got > 0 && out->len < FILE_BYTES_MAX);
    bool fine = ferror(file) == 0;
    fclose(file);
    return fine;
}

void script_path(const struct script *script, const char *name, char *out, size_t cap)
{
    snprintf(out, cap, "%s%s%s", name[0] == '/' ? "" : script->tree, name[0] == '/' ? "" : "/",
             name);
}

static bool document_load(struct script *script, struct complaint *complaint)
{
    yaml_parser_t parser;
    if (!file_load(script->path, &script->text))
        return complain(complaint, NULL, "cannot be read: %s", strerror(errno));
    if (!yaml_parser_initialize(&parser))
        return complain(complaint, NULL, "no memory");
    yaml_parser_set_input_string(&parser, script->text.data, script->text.len);
    script->loaded = yaml_parser_load(&parser, &script->document) != 0;
    if (!script->loaded) {
        complaint->line = (unsigned)parser.problem_mark.line + 1;
        (void)complain(complaint, NULL, "%s",
                       parser.problem != NULL ? parser.problem : "is no YAML");
    }
    yaml_parser_delete(&parser);
    return script->loaded;
}

/* The policy's zone is what times without one are in. */
static bool zone_read(struct script *script, const yaml_node_t *root, struct complaint *complaint)
{
    struct buf text = {0};
    struct problems problems = {0};
    struct policy policy;
    struct arena *arena = arena_new(1 << 16);
    char path[600];
    const yaml_node_t *node = node_get(script, root, "policy");
    script->policy = scalar(node);
    if (node == NULL || script->policy[0] == '\0')
        return arena_destroy(&arena), complain(complaint, root, "needs \"policy\"");
    script_path(script, script->policy, path, sizeof(path));
    bool fine = file_load(path, &text);
    if (!fine)
        (void)complain(complaint, node, "cannot read %s: %s", path, strerror(errno));
    if (fine && !policy_parse(buf_text(&text), text.len, arena, &policy, &problems, NULL)) {
        struct buf said = {0};
        problem_print(&problems.items[0], false, &said);
        fine = complain(complaint, node, "%s is no good policy: %s", path, buf_text(&said));
        buf_release(&said);
    }
    if (fine) {
        text_copy(script->zone_name, sizeof(script->zone_name),
                  policy.zone[0] != '\0' ? policy.zone : "UTC");
        script->zone = zone_find(script->zone_name);
        if (script->zone == NULL)
            fine = complain(complaint, node, "there is no zone %s", script->zone_name);
    }
    problems_release(&problems);
    buf_release(&text);
    arena_destroy(&arena);
    return fine;
}

bool script_read(struct script *script, const char *path, const char *tree,
                 struct complaint *complaint)
{
    static const char *const keys[] = {"title", "policy",    "calendars", "network",
                                       "start", "templates", "rules",     NULL};
    *script = (struct script){.path = path, .tree = tree};
    if (!document_load(script, complaint))
        return false;
    const yaml_node_t *root = yaml_document_get_root_node(&script->document);
    if (root == NULL)
        return complain(complaint, NULL, "is empty");
    if (!node_keys(script, root, keys, "a scenario file", complaint) ||
        !zone_read(script, root, complaint))
        return false;
    script->title = node_text(script, root, "title");
    const char *calendars = node_text(script, root, "calendars");
    script->calendars = calendars[0] != '\0' ? calendars : NULL;
    script->network = node_get(script, root, "network");
    script->rules = node_get(script, root, "rules");
    const char *start = node_text(script, root, "start");
    if (!when_parse(script, start, 0, false, &script->start_us))
        return complain(complaint, root, "start \"%s\" is no time; like 2026-03-02 08:00", start);
    return node_items(script->rules) > 0 || complain(complaint, root, "needs a list of \"rules\"");
}

void script_release(struct script *script)
{
    if (script->loaded)
        yaml_document_delete(&script->document);
    buf_release(&script->text);
    script->loaded = false;
}

void script_quote(const struct script *script, const yaml_node_t *node, struct buf *out)
{
    size_t first = node->start_mark.line, last = node->end_mark.line, line = 0;
    if (node->end_mark.column == 0 && last > first)
        last--;
    const char *at = (const char *)script->text.data, *end = at + script->text.len;
    for (; at < end && line <= last; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = stop != NULL ? (size_t)(stop - at) : (size_t)(end - at);
        size_t blanks = 0;
        while (blanks < n && at[blanks] == ' ')
            blanks++;
        if (line >= first && line < first + 8) {
            buf_append(out, "  ", 2);
            buf_append(out, at + blanks, n - blanks);
            buf_append(out, "\n", 1);
        }
        at += n + 1;
    }
}
