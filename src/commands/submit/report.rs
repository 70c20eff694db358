//! Reports on stderr what a submitted job sends: the code, what was left out of it, and secrets that are allowed.

use crate::context::Context;
use crate::ops::submit::PreparedJob;
use crate::{ui, view};

/// Reports what will be sent, and the notices of the preparation.
pub(super) fn report(prepared: &PreparedJob, context: &Context) {
    report_code(prepared, context);
    prepared.notices.iter().for_each(|notice| context.ui.note(format_args!("note: {notice}")));
}

fn report_code(prepared: &PreparedJob, context: &Context) {
    let of_code = prepared.code.iter().flat_map(|code| &code.allowed);
    let allowed: Vec<&str> = of_code.chain(&prepared.allowed_secrets).map(String::as_str).collect();
    if !allowed.is_empty() {
        context
            .ui
            .warning(format_args!("sent although they are or hold secrets, as you allow: {}", allowed.join(", ")));
    }
    let Some(code) = &prepared.code else { return };
    if !code.secrets.is_empty() {
        context.ui.warning(format_args!("left out of the code, as secrets: {}", code.secrets.join(", ")));
    }
    report_skipped(prepared, context);
    let files = view::count(code.files, "file");
    let bytes = ui::bytes(code.packed_bytes);
    context.ui.note(format_args!("code: {files}, {bytes} packed, sha256 {}", code.sha256));
}

/// Reports what ignore files left out of the code: their number, and with `-v` each with its rule.
fn report_skipped(prepared: &PreparedJob, context: &Context) {
    let Some(code) = &prepared.code else { return };
    let skipped = &code.skipped;
    for doubt in code.doubts.iter().filter(|_| skipped.ignored > 0) {
        context.ui.warning(format_args!("files that git tracks may be left out of the code: {doubt}"));
    }
    for (name, rule) in &skipped.ignored_names {
        context.ui.detail(format_args!("left out of the code: {name}, by {rule}"));
    }
    let unnamed = skipped.ignored - skipped.ignored_names.len();
    if unnamed > 0 {
        context.ui.detail(format_args!("left out of the code: {unnamed} more"));
    }
    if skipped.ignored > 0 {
        let ignored = view::count(skipped.ignored, "path");
        context
            .ui
            .note(format_args!("left out of the code by ignore files and source.exclude: {ignored} (-v names them)"));
    }
    if skipped.special > 0 {
        let special = view::count(skipped.special, "special file");
        context.ui.note(format_args!("left out of the code, as sockets, pipes or devices: {special}"));
    }
}
