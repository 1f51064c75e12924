/* Words of `backtest`. */
#include "words.h"

const struct word_pair backtest_words[] = {
    {"what other rules would have changed", "回测：换一套规则会有什么不同"},
    {"Facts come from --events FILE or --journal.", "事实来自 --events 文件 或 --journal。"},
    {"there are no facts to tell", "没有可用的事实"},
    {"facts", "项事实"},
    {"as it was", "当时的规则"},
    {"running", "未了结"},
    {"offers made", "派单"},
    {"taken", "接单"},
    {"not taken", "未接"},
    {"most at once", "最多在手"},
    {"Work by site", "各网点工作量"},
    {"Another verdict: %zu promises on %zu tickets", "结论不同：%zu 项时限，%zu 张工单"},
    {"events in all", "事件总数"},
    {"facts refused", "被拒绝的事实"},
    {"tickets resolved", "已解决工单"},
    {"tickets closed", "已关闭工单"},
    {"escalations", "升级"},
    {"callbacks due", "应回访"},
    {"callbacks recorded", "已回访"},
    {"callbacks missed", "漏回访"},
    {"refused: fact %zu: %s %s %s", "拒绝：第 %zu 项事实：%s %s %s"},
    {"%s facts from %s to %s, %zu conclusions left out\n", "%s 项事实，%s 至 %s，略去结论 %zu 项\n"},
    {"%zu lines could not be read\n", "%zu 行无法读取\n"},
    {"Promises by clause", "各项时限"},
    {"Promises by month in which the ticket was opened", "时限，按受理月份"},
    {"Promises by region", "时限，按地区"},
    {"month", "月份"},
};
const size_t backtest_words_n = sizeof(backtest_words) / sizeof(backtest_words[0]);
