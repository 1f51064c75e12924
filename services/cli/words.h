/* English and Chinese: the English text is the key; the Chinese stands in words.c, of --help in
 * words_help.c, of values in words_values.c. */
#ifndef AFTERCARE_CLI_WORDS_H
#define AFTERCARE_CLI_WORDS_H

#include <stddef.h>

enum language { ENGLISH, CHINESE };

/* By LC_ALL, LC_MESSAGES, LANG in that order: Chinese when the first that is set begins with "zh".
 */
enum language language_of_environment(void);
/* The text in that language; English where there is no Chinese. Conversions (%s …) are the same in
 * both, in the same order. */
const char *in_words(enum language, const char *english) __attribute__((format_arg(2)));
/* A sentence of --help; NULL: there is no Chinese. */
const char *help_words(const char *english);
/* A value of that field, such as "offered" of state; itself where it is not a word of the trade. */
const char *value_words(enum language, const char *field, const char *value);
/* Pairs that stand in a file of their own. */
struct word_pair {
    const char *english, *chinese;
};
extern const struct word_pair column_words[], limit_words[], backtest_words[], branch_words[], verify_words[], erase_words[], file_words[], key_words[];
extern const size_t column_words_n, limit_words_n, backtest_words_n, branch_words_n, verify_words_n, erase_words_n, file_words_n, key_words_n;
/* For the test that the two agree: the i-th pair; false past the end. */
int words_at(size_t i, const char **english, const char **chinese);

#endif
