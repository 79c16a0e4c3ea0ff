/* The tree of commands: what the program parses and documents itself from. */
#ifndef TREE_H
#define TREE_H

#include "cli/cli.h"

extern const cli_command cli_root;

#endif
