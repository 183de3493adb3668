# src/prune/document.c
s/else if (block < 0 || block >= blocks)/else if (block < 0)/
