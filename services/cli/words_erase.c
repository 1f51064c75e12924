/* Words of `erase`. */
#include "words.h"
#include <inttypes.h>

const struct word_pair erase_words[] = {
    {"erase a customer's personal data", "删除客户的个人信息"},
    {"erased: %" PRId64 " events and %" PRId64 " refused ones held personal data of %s\n",
     "已删除：%" PRId64 " 个事件、%" PRId64 " 个被拒事件曾含客户 %s 的个人信息\n"},
    {"Intake goes on with it by itself; its log says what it waits for.", "受理服务会自行继续；其日志说明在等待什么。"},
    {"ordered at position %" PRId64 ", not finished yet", "已在位置 %" PRId64 " 下达，尚未完成"},
    {"(personal data erased, or not for you)", "（个人信息已删除，或您无权查看）"},
};
const size_t erase_words_n = sizeof(erase_words) / sizeof(erase_words[0]);
