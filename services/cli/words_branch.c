/* Words of `aftercare --branch`. */
#include "words.h"
#include <inttypes.h>

const struct word_pair branch_words[] = {
    {"the line, what waits to be sent, how old the work list is", "线路、待发事实、工作单时效"},
    {"jobs on the branch's work list", "本网点工作单上的派工"},
    {"promises that still stand", "仍有效的时限"},
    {"callbacks to be made", "应做的回访"},
    {"facts that wait to be sent, the oldest first", "待发事实，先入先发"},
    {"facts that the centre refused, and why", "被总部拒绝的事实与原因"},
    {"correct a refused fact and send it again", "更正被拒绝的事实并重发"},
    {"leave a refused fact out", "舍弃被拒绝的事实"},
    {"the work list was never read: the centre was not reached", "尚未读到工作单：未能连上总部"},
    {"true at position %" PRId64 ", %s, %s old; the line is %s\n", "截至位置 %" PRId64 "，%s，距今 %s；线路 %s\n"},
    {"branch %s, stream %s\n", "网点 %s，账册 %s\n"},
    {"line: %s since %s%s%s\n", "线路：%s，自 %s%s%s\n"},
    {"waiting: %s facts, %" PRId64 " %% of the spool\n", "待发：%s 条，占容量 %" PRId64 " %%\n"},
    {"the oldest since %s (number %" PRId64 ")\n", "最早一条始于 %s（第 %" PRId64 " 号）\n"},
    {"refused: %" PRId64 " facts; `aftercare --branch refused`\n", "被拒：%" PRId64 " 条；`aftercare --branch refused`\n"},
    {"the disk is full: nothing is taken", "磁盘已满：不再接收"},
    {"this machine's clock is %" PRId64 " s before the centre's; set it\n", "本机时钟比总部快 %" PRId64 " 秒，请校正\n"},
    {"work list", "工作单"},
    {"`--help` lists the filters.", "`--help` 列出可用条件。"},
    {"`--help` tells more.", "详见 `--help`。"},
    {"say why: --reason TEXT", "请说明原因：--reason 文字"},
    {"%s %s is left out\n", "%s %s 已舍弃\n"},
    {"`aftercare --branch refused` lists them.", "`aftercare --branch refused` 可列出。"},
    {"nothing refused stands open under number %" PRId64, "第 %" PRId64 " 号没有待处理的拒绝"},
    {"%s %s kept as number %" PRId64 "; %" PRId64 " wait to be sent\n", "%s %s 已存为第 %" PRId64 " 号；待发 %" PRId64 " 条\n"},
    {"`aftercare --branch status` says how full it is.", "`aftercare --branch status` 显示余量。"},
    {"nothing can be taken (%s)", "暂不能接收（%s）"},
    {"Is aftercare-branch running? --data or --config names another place.", "aftercare-branch 是否在运行？可用 --data 或 --config 指定其他位置。"},
};
const size_t branch_words_n = sizeof(branch_words) / sizeof(branch_words[0]);
