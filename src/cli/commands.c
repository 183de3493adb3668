// The table of commands.
#include <string.h>

#include "cli/command.h"

const cli_command cli_commands[] = {
    {"inspect", "MODEL", "say what a model is",
     "Opens a Hugging Face directory or a GGUF file and shows its shape. Only headers are read, unless\n"
     "--check asks to read every weight.",
     "  depthprune inspect model.gguf\n"
     "  depthprune inspect Llama-2-7b/ --check --json\n",
     cli_cmd_inspect, CLI_INSPECT, 1, 1},
    {"score", "MODEL", "measure how important each block is",
     "Scores every Transformer block; the lowest score is the least important block. ppl: perplexity\n"
     "on the calibration windows without the block. bi: how much the block turns the residual stream.\n"
     "mag: the sum of its absolute weights, no text needed.",
     "  depthprune score model.gguf --calibration text.txt -o scores.json --plot scores.svg\n"
     "  depthprune score model/ --criterion mag+ -o scores.json\n"
     "  depthprune score model/ --criterion bi --calibration-tokens ids.json --json\n",
     cli_cmd_score, CLI_SCORE, 1, 1},
    {"plan", "MODEL", "choose the blocks to remove, as a file to read and edit",
     "Chooses the least important unprotected blocks by --blocks, --ratio or --params from scores, or\n"
     "takes the list of --remove. 'prune --plan' does what the file says.",
     "  depthprune plan model.gguf --scores scores.json --blocks 6 -o plan.json\n"
     "  depthprune plan model.gguf --scores scores.json --ratio 0.2 -o plan.json --plot plan.png\n",
     cli_cmd_plan, CLI_PLAN, 1, 1},
    {"prune", "MODEL", "remove blocks and save the smaller model",
     "Blocks come from --plan, from --scores or --criterion with --blocks, --ratio or --params, or\n"
     "from --remove. The output appears whole or not at all; tokenizer and configuration go with it.",
     "  depthprune prune model.gguf --plan plan.json -o smaller.gguf\n"
     "  depthprune prune model/ --scores scores.json --params 5.5B -o smaller/ --dtype f16\n"
     "  depthprune prune model.gguf --criterion ppl --calibration text.txt --blocks 6 -o smaller/ --to hf\n"
     "  depthprune prune model/ --remove 20-25 -o smaller/ --dry-run\n",
     cli_cmd_prune, CLI_PRUNE, 1, 1},
    {"eval", "MODEL", "measure perplexity",
     "Perplexity of texts or of token ids, in windows that do not overlap. Numbers compare only\n"
     "between runs with the same window, mode, BOS and tokenizer: the document names them.",
     "  depthprune eval model.gguf --perplexity wiki.txt\n"
     "  depthprune eval model/ --perplexity a.txt --perplexity b.txt --window 2048 --mode B --json\n",
     cli_cmd_eval, CLI_EVAL, 1, 1},
    {"convert", "MODEL", "save a model in the other format or another element type",
     "Reads a Hugging Face directory or a GGUF file and writes either. Quantized GGUF blocks become\n"
     "f16 in a directory unless --dtype says otherwise.",
     "  depthprune convert model.gguf -o model-hf --to hf\n"
     "  depthprune convert model-hf -o model-f16.gguf --dtype f16\n",
     cli_cmd_convert, CLI_CONVERT, 1, 1},
    {"report", "DIR", "put the documents of a folder into one table",
     "Reads the JSON documents that inspect, score, prune and eval wrote into DIR and shows each\n"
     "model's blocks, parameters, bytes, perplexity and seconds, largest model first.",
     "  depthprune report quickstart-out\n", cli_cmd_report, CLI_REPORT, 1, 1},
    {"doctor", "", "say what this build can do here",
     "Version, kernels, libraries, processor, memory, and what was found and what not.",
     "  depthprune doctor\n"
     "  depthprune doctor --backend cuda\n",
     cli_cmd_doctor, CLI_DOCTOR, 0, 0},
    {"completion", "SHELL", "write the completion script of a shell",
     "SHELL is bash, zsh or fish. 'make install' puts all three where these shells look for them.",
     "  depthprune completion bash > ~/.local/share/bash-completion/completions/depthprune\n", cli_cmd_completion,
     CLI_COMPLETION, 1, 1},
    {"help", "[COMMAND]", "show the help of a command", "", "  depthprune help score\n", cli_cmd_help, CLI_HELP, 0,
     1},
};

const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            return &cli_commands[i];
    return NULL;
}
