/** @file depthprune.h  All nouns: include this one. */
#ifndef DEPTHPRUNE_DEPTHPRUNE_H
#define DEPTHPRUNE_DEPTHPRUNE_H

#include <depthprune/version.h>

#include <depthprune/context.h>

#include <depthprune/tokenizer.h>

#include <depthprune/model.h>

#include <depthprune/model_build.h>

#include <depthprune/calib.h>

#include <depthprune/score.h>

#include <depthprune/prune.h>

#include <depthprune/eval.h>

#endif
