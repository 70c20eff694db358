//! What Python's `json.loads` reads, and what it refuses.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::python::repr::tests::python3;

#[test]
fn numbers_keep_what_python_keeps() {
    for (text, shown) in [
        ("0", "0"),
        ("-0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1.0", "1.0"),
        ("1e400", "inf"),
        ("-0.0", "-0.0"),
        ("1E-5", "1e-05"),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
    ] {
        assert_eq!(loads(text).map(|object| object.to_str()).as_deref(), Some(shown), "{text}");
    }
}

#[test]
fn refuses_what_python_refuses() {
    let deep = "[".repeat(100_000);
    for text in [
        "",
        " ",
        "adam",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "0x10",
        "1_000",
        "True",
        "None",
        "nan",
        "'a'",
        "\"a",
        "\"\u{1}\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\ud800\"",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{a: 1}",
        "{\"a\":1,}",
        "1 2",
        "\u{feff}1",
        "\u{a0}1",
        &deep,
    ] {
        assert_eq!(loads(text), None, "{text:.20}");
    }
}

#[test]
fn strings_and_nesting() {
    assert_eq!(loads(r#""\u00e9\ud83d\ude00\/""#), Some(PyValue::str("é😀/")));
    let text = " { \"b\" : [1, {}], \"a\": null, \"b\": [ ] }\n";
    assert_eq!(loads(text).map(|object| object.repr()).as_deref(), Some("{'b': [], 'a': None}"));
}

/// Prints what each line is read as, or that it is not read.
const SCRIPT: &str = r#"
import json, sys
sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for line in sys.stdin.buffer.read().decode("utf-8").split("\n")[:-1]:
    try:
        print(ascii(json.loads(line)))
    except ValueError:
        print("refused")
"#;

/// Texts that are nearly JSON: its tokens, and what is easily taken for them, in any order.
fn almost_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        6 => "[\\[\\]{},:]",
        2 => "[ \t\r]",
        4 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?",
        4 => "\"([a-z\\x7fé'😀]|\\\\[\"\\\\/bfnrtux]|\\\\u00[0-9a-fA-F]{2}){0,4}\"",
        1 => prop::sample::select(vec!["null", "true", "false", "NaN", "Infinity", "-Infinity", "None", "\"a\": "])
            .prop_map(str::to_owned),
        1 => "[a-zA-Z0-9.+\"-]",
    ];
    prop::collection::vec(token, 0..6).prop_map(|tokens| tokens.concat())
}

#[test]
fn reads_and_refuses_what_python3_does() -> Result<(), Box<dyn std::error::Error>> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut texts = Vec::new();
    for _ in 0..6000 {
        let tree = almost_json().new_tree(&mut runner).map_err(|reason| reason.to_string())?;
        texts.push(tree.current());
    }
    let printed = python3(SCRIPT, &texts)?;
    assert_eq!(printed.lines().count(), texts.len());
    for (text, theirs) in texts.iter().zip(printed.lines()) {
        let ours = loads(text).map_or_else(|| "refused".to_owned(), |object| ascii(&object.repr()));
        assert_eq!(ours, theirs, "{text:?}");
    }
    let read = printed.lines().filter(|line| *line != "refused").count();
    assert!(read > 500, "{read}");
    Ok(())
}

/// Python's `ascii` of a text that `repr` made: both sides without characters that a version of Unicode may lack.
fn ascii(repr: &str) -> String {
    repr.chars().map(|c| if c.is_ascii() { c.to_string() } else { python_escape(c) }).collect()
}

fn python_escape(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}
