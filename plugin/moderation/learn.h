/* SPDX-License-Identifier: MIT */
/* Learning step by step: a model moved a little towards what people decided about a text. */
#ifndef VOUCH_MODERATION_LEARN_H
#define VOUCH_MODERATION_LEARN_H

#include "moderation/model.h"

/* A copy to be changed; NULL without memory. */
struct model *learn_copy(const struct model *model);
/* One step of gradient descent on the logistic loss: at most about 1 in the logit of this very
   text, less the surer the model was already. lexicon may be NULL. 0 or ERROR_FAILED. */
int learn_text(struct model *model, const struct lexicon *lexicon, const char *text,
               size_t length, bool abusive);

#endif
