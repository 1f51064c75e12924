#include "base/problem.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool problem_set(struct problem *p, const char *code, const char *field, const char *args_format, ...)
{
    *p = (struct problem){0};
    text_copy(p->code, sizeof p->code, code);
    text_copy(p->field, sizeof p->field, field ? field : "");
    if (args_format) {
        char args[4 * sizeof p->args];
        va_list list;
        va_start(list, args_format);
        vsnprintf(args, sizeof args, args_format, list);
        va_end(list);
        text_copy(p->args, sizeof p->args, args);
    }
    return false;
}

void problems_add(struct problems *all, const struct problem *p)
{
    if (all->n < PROBLEMS_MAX) {
        if (all->n == all->cap) {
            all->cap = all->cap ? all->cap * 2 : 8;
            all->items = memory_grow(all->items, all->cap * sizeof *all->items);
        }
        all->items[all->n] = *p;
    }
    all->n++;
}

void problems_release(struct problems *all)
{
    free(all->items);
    *all = (struct problems){0};
}

/* {f}: the field, {a}: the arguments; what stands in [ ] is left out when there are no arguments. */
static const struct {
    const char *code, *en, *zh;
} catalogue[] = {
    {"missing", "{f} is missing[ ({a})]", "缺少 {f}[（{a}）]"},
    {"unknown-field", "{f} is not a known field[; did you mean {a}?]", "没有 {f} 这个字段[，是否为 {a}？]"},
    {"too-long", "{f} is too long[: at most {a} bytes]", "{f} 过长[：最多 {a} 字节]"},
    {"too-large", "{f} is too large[: at most {a} bytes]", "{f} 过大[：最多 {a} 字节]"},
    {"too-many", "{f} has too many items[: at most {a}]", "{f} 项数过多[：最多 {a} 项]"},
    {"too-deep", "{f} is nested too deeply[: at most {a} levels]", "{f} 嵌套过深[：最多 {a} 层]"},
    {"bad-type", "{f} is of the wrong type[: expected {a}]", "{f} 类型不对[：应为 {a}]"},
    {"bad-value", "{f} has a value that is not allowed[: {a}]", "{f} 的值不允许[：{a}]"},
    {"bad-time", "{f} is not a time[: {a}]", "{f} 不是有效时间[：{a}]"},
    {"bad-span", "{f} is not a duration[: {a}]", "{f} 不是有效时长[：{a}]"},
    {"bad-key", "{f} is not a key (1-64 of A-Z a-z 0-9 . _ -)[: {a}]",
     "{f} 不是有效编号（1–64 个 A–Z a–z 0–9 . _ -）[：{a}]"},
    {"range", "{f} is out of range[: {a}]", "{f} 超出范围[：{a}]"},
    {"personal", "{f} is personal and must not stand in data[ ({a})]", "{f} 属个人信息，不得放在 data 中[（{a}）]"},
    {"not-personal", "{f} is not personal and must not stand in priv[ ({a})]",
     "{f} 不属个人信息，不得放在 priv 中[（{a}）]"},
    {"not-utf8", "{f} is not valid UTF-8 text[: {a}]", "{f} 不是有效的 UTF-8 文本[：{a}]"},
    {"malformed", "{f} is malformed[: {a}]", "{f} 格式错误[：{a}]"},
    {"syntax", "the text cannot be read[: {a}]", "文本无法解析[：{a}]"},
    {"duplicate-key", "{f} is given twice[: {a}]", "{f} 重复[：{a}]"},
    {"duplicate", "{f} occurs twice[: {a}]", "{f} 重复出现[：{a}]"},
    {"unknown", "{f} is unknown[: {a}]", "{f} 不存在[：{a}]"},
    {"unknown-type", "no such event type[: {a}]", "没有这种事件类型[：{a}]"},
    {"unknown-version", "no such version of the event type[: {a}]", "没有这个事件版本[：{a}]"},
    {"unknown-verb", "no such verb[: {a}]", "没有这个命令[：{a}]"},
    {"ticket.exists", "the ticket number is taken[: {a}]", "工单号已被占用[：{a}]"},
    {"not-allowed", "{f} is not the sender's to say[: {a}]", "发送方无权提交 {f}[：{a}]"},
    {"conflict", "{f} contradicts what was sent before[: {a}]", "{f} 与先前提交的内容不一致[：{a}]"},
    {"type.unknown", "no such event type or version[: {a}]", "没有这种事件类型或版本[：{a}]"},
    {"denied", "{f} is not for the sender to say[: {a}]", "发送方无权提交 {f}[：{a}]"},
    {"ticket.unknown", "no such ticket[: {a}]", "没有这张工单[：{a}]"},
    {"job.unknown", "no such job[: {a}]", "没有这个派工[：{a}]"},
    {"job.exists", "the job exists already[: {a}]", "派工已存在[：{a}]"},
    {"unknown-kind", "the policy has no such kind[: {a}]", "政策中没有这种业务[：{a}]"},
    {"policy.none", "no policy is in force", "尚无生效的政策"},
    {"policy.exists", "this policy version is published already[: {a}]", "该政策版本已发布[：{a}]"},
    {"policy.replaces", "{f} does not name the policy in force[: {a}]", "{f} 不是现行政策[：{a}]"},
    {"policy.invalid", "the policy cannot be used[: {a}]", "政策无效[：{a}]"},
    {"calendar.invalid", "the calendar cannot be used[: {a}]", "日历无效[：{a}]"},
    {"principal.unknown", "no such principal[: {a}]", "没有这个主体[：{a}]"},
    {"principal.key", "the key is another principal's[: {a}]", "该密钥属于另一主体[：{a}]"},
    {"principal.exists", "the principal exists already[: {a}]", "主体已存在[：{a}]"},
    {"mixed-keys", "{f} is about something else[: {a}]", "{f} 所指对象不一致[：{a}]"},
    {"hidden", "{f} never decides[: {a}]", "{f} 永远不会生效[：{a}]"},
    {"unreachable", "{f} never comes[: {a}]", "{f} 永远不会到来[：{a}]"},
    {"no-working-time", "{f} has no working time[: {a}]", "{f} 没有工作时间[：{a}]"},
    {"behind", "{f} has not been read that far yet[: {a}]", "{f} 尚未处理到该位置[：{a}]"},
    {"unavailable", "no answer now[: {a}]", "暂时无法回答[：{a}]"},
    {"unknown-question", "no such question[: {a}]", "没有这种查询[：{a}]"},
    {"not-kept", "refused; past the day's measure of refusals the reason was not kept", "已拒绝；超过当日拒收限额，未保存原因"},
    {"unreadable", "{f} cannot be read[: {a}]", "无法读取 {f}[：{a}]"},
};

static void template_print(const char *template, const char *field, const char *args, struct buf *out)
{
    bool skipping = false;
    for (const char *at = template; *at; at++) {
        if (*at == '[') {
            skipping = !*args;
        } else if (*at == ']') {
            skipping = false;
        } else if (skipping) {
            continue;
        } else if (text_starts(at, "{f}")) {
            buf_append_text(out, field);
            at += 2;
        } else if (text_starts(at, "{a}")) {
            buf_append_text(out, args);
            at += 2;
        } else {
            buf_append(out, at, 1);
        }
    }
}

static const char *template_of(const char *code, bool chinese)
{
    for (size_t i = 0; i < COUNT_OF(catalogue); i++)
        if (text_equal(catalogue[i].code, code))
            return chinese ? catalogue[i].zh : catalogue[i].en;
    return NULL;
}

static void place_print(const struct problem *p, bool chinese, struct buf *out)
{
    if (!p->line)
        return;
    buf_append_format(out, chinese ? "第 %u 行" : "line %u", p->line);
    if (p->column)
        buf_append_format(out, chinese ? "第 %u 列" : ", column %u", p->column);
    buf_append_text(out, chinese ? "：" : ": ");
}

void problem_print(const struct problem *p, bool chinese, struct buf *out)
{
    place_print(p, chinese, out);
    const char *template = template_of(p->code, chinese);
    if (template) {
        template_print(template, *p->field ? p->field : chinese ? "内容" : "the content", p->args, out);
        return;
    }
    buf_append_text(out, p->code);
    if (*p->field)
        buf_append_format(out, " %s", p->field);
    if (*p->args)
        buf_append_format(out, chinese ? "：%s" : ": %s", p->args);
}
