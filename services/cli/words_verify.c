/* Words of `verify` and `rebuild`. */
#include "words.h"
#include <inttypes.h>

const struct word_pair verify_words[] = {
    {"✗ position %" PRId64 ", %s: %s (%s)\n", "✗ 位置 %" PRId64 "，%s：%s（%s）\n"},
    {"✗ %s: %s (%s)\n", "✗ %s：%s（%s）\n"},
    {"changed", "被改动"},
    {"misplaced", "位置错乱"},
    {"unreadable", "无法读取"},
    {"differs", "不一致"},
    {"twice", "重复"},
    {"journal and archive: %" PRId64 " things are wrong\n", "账册与服务档案：发现 %" PRId64 " 处问题\n"},
    {"intake: the %" PRId64 " rows of its archive are what the journal says\n", "intake：服务档案的 %" PRId64 " 行与账册一致\n"},
    {"journal: every row is as it was written; %" PRId64 " numbers of %" PRId64
     " sources, each once, %" PRId64 " of them refused; sealed %" PRId64 " times; %" PRId64
     " personal parts erased\n",
     "账册：每一行均与写入时一致；序号 %" PRId64 " 个、来源 %" PRId64 " 个，各出现一次，其中被拒绝 %" PRId64
     " 个；封存 %" PRId64 " 次；已删除个人信息 %" PRId64 " 处\n"},
    {"there is no position %" PRId64, "没有位置 %" PRId64},
    {"`aftercare status` shows the head.", "`aftercare status` 显示末尾位置。"},
    {"position %" PRId64 ": %s %s, %s/%" PRId64 "\n", "位置 %" PRId64 "：%s %s，%s/%" PRId64 "\n"},
    {"id", "标识"},
    {"occurred", "发生"},
    {"written down", "记录"},
    {"row before", "前一行"},
    {"row behind", "后一行"},
    {"the body is readable, and its columns say what it says", "正文可读，各列与正文一致"},
    {"SHA-256 of the body", "正文 SHA-256"},
    {"the link follows from the row before", "链接由前一行推得"},
    {"link before", "前一链接"},
    {"link computed", "计算所得链接"},
    {"link stored", "存储的链接"},
    {"the personal part has the digest that the body names", "个人信息部分与正文所记摘要相符"},
    {"the personal part was erased; the body still names its digest", "个人信息已删除；正文仍保留其摘要"},
    {"there is no personal part", "无个人信息部分"},
    {"SHA-256 of priv", "个人信息 SHA-256"},
    {"the digest of what was sent, and the answer, are as they were written", "原始事件摘要与应答均与写入时一致"},
    {"digest of what was sent", "原始事件摘要"},
    {"every link from here to the position that was sealed next", "由此至下一封存位置的链接全部成立"},
    {"every link from here to the head (nothing was sealed behind it yet)",
     "由此至末尾的链接全部成立（其后尚无封存）"},
    {"  sealed: position %" PRId64 ", by journal.sealed at %" PRId64 "\n",
     "  封存：位置 %" PRId64 "，由位置 %" PRId64 " 的 journal.sealed 记载\n"},
    {"  head: position %" PRId64 "\n", "  末尾：位置 %" PRId64 "\n"},
    {"link said there", "该处所记链接"},
};
const size_t verify_words_n = sizeof(verify_words) / sizeof(verify_words[0]);
