
set edit:completion:arg-completer[smtrain] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) SMTRAIN_COMPLETE="elvish" smtrain -- $@words) | to-lines
}

