/* SPDX-License-Identifier: MIT */
/* The file that vouchctl train learns from: lines of label, source and text between tabs. */
#ifndef CLI_TRAIN_FILE_H
#define CLI_TRAIN_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "moderation/train.h"

enum { TRAIN_FILE_SOURCE = 100, TRAIN_FILE_TEXT = 65536 };

struct train_file {
    struct buffer bytes; /* what the rest points into */
    struct sample *samples;
    const char **sources; /* one a sample */
    size_t count, room;
};

/* path "-": the standard input. 0, or an error that names line and rule. train_file_free is due
 * in any case. Label 0 under a source that begins with "review" is an ordinary review. */
int train_file_read(const char *path, struct train_file *file, struct error *error);
void train_file_free(struct train_file *file);

#endif
