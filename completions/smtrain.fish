complete --keep-order --exclusive --command smtrain --arguments "(SMTRAIN_COMPLETE=fish smtrain -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
