//! Python's forms, as python3 prints them.

use std::io::{Seek as _, Write as _};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;

use super::*;
use crate::tests::{TestResult, output};

#[test]
fn floats() {
    for (value, text) in [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-0.0, "-0.0"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(float_repr(value), text);
    }
    assert_eq!(PyValue::List(vec![PyValue::Float(f64::NAN), PyValue::Float(f64::INFINITY)]).dumps(), "[NaN, Infinity]");
}

#[test]
fn strings_choose_their_quotes_and_escape_what_is_not_printable() {
    for (text, repr) in [
        ("adam", "'adam'"),
        ("it's", "\"it's\""),
        ("it's \"x\"", "'it\\'s \"x\"'"),
        ("a\\b\n\t\r", "'a\\\\b\\n\\t\\r'"),
        ("\0\u{7f}\u{a0}\u{ad}", "'\\x00\\x7f\\xa0\\xad'"),
        ("\u{200b}\u{e000}\u{e0001}", "'\\u200b\\ue000\\U000e0001'"),
        ("é 日 😀 e\u{301} \u{301}", "'é 日 😀 e\u{301} \u{301}'"),
    ] {
        assert_eq!(PyValue::str(text).repr(), repr);
    }
    assert_eq!(PyValue::str("it's").to_str(), "it's");
}

#[test]
fn collections() {
    let value = json!({"b": [1, 2.5, true, null, "x"], "a": {"é": "\u{1f600}\u{7f}"}});
    let object = PyValue::from(&value);
    assert_eq!(object.to_str(), "{'b': [1, 2.5, True, None, 'x'], 'a': {'é': '😀\\x7f'}}");
    assert_eq!(object.dumps(), r#"{"b": [1, 2.5, true, null, "x"], "a": {"\u00e9": "\ud83d\ude00\u007f"}}"#);
    assert_eq!(object.dumps_compact(), r#"{"a":{"\u00e9":"\ud83d\ude00\u007f"},"b":[1,2.5,true,null,"x"]}"#);
    assert_eq!(PyValue::from(&json!([[], {}])).dumps(), "[[], {}]");
}

#[test]
fn truth_is_pythons() {
    for (value, truthy) in
        [(json!(0), false), (json!(0.0), false), (json!(""), false), (json!("0"), true), (json!([0]), true)]
    {
        assert_eq!(PyValue::from(&value).is_truthy(), truthy, "{value}");
    }
}

/// Prints what this module prints of each JSON line of its input; a null stands between the three forms.
const SCRIPT: &str = r#"
import json, sys
sys.stdout.reconfigure(encoding="utf-8", newline="\n")
for line in sys.stdin.buffer.read().decode("utf-8").split("\n"):
    if line:
        v = json.loads(line)
        print(json.dumps([str(v), json.dumps(v), json.dumps(v, sort_keys=True, separators=(",", ":"))]))
"#;

fn ours(value: &Value) -> Value {
    let object = PyValue::from(value);
    json!([object.to_str(), object.dumps(), object.dumps_compact()])
}

fn any_value() -> impl Strategy<Value = Value> {
    // Characters that were assigned long ago: Python and Rust may carry different versions of Unicode.
    let text =
        "[ -~\t\n\r\\x00-\\x1f\\x7f-\u{24f}\u{300}-\u{36f}\u{2000}-\u{206e}\u{4e00}-\u{4eff}\u{1f600}-\u{1f64f}]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-25_i32..25, any::<u16>()).prop_map(|(e, m)| Value::from(f64::from(m) * 10_f64.powi(e))),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text, inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

#[test]
fn agrees_with_python3_on_any_value() -> TestResult {
    // One run of Python for all values: starting it is what takes long.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut values = Vec::new();
    for _ in 0..2000 {
        let tree = any_value().new_tree(&mut runner).map_err(|reason| reason.to_string())?;
        values.push(tree.current());
    }
    let lines: Vec<_> = values.iter().map(ToString::to_string).collect();
    let printed = python3(SCRIPT, &lines)?;
    assert_eq!(printed.lines().count(), values.len());
    for (value, line) in values.iter().zip(printed.lines()) {
        assert_eq!(ours(value), serde_json::from_str::<Value>(line)?, "{value}");
    }
    Ok(())
}

/// What python3 prints when a script of it reads these lines.
pub(crate) fn python3(script: &str, lines: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let mut input = tempfile::tempfile()?;
    input.write_all((lines.join("\n") + "\n").as_bytes())?;
    input.rewind()?;
    let output = output(std::process::Command::new("python3").args(["-c", script]).stdin(input))?;
    Ok(String::from_utf8(output.stdout)?)
}
