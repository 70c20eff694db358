//! Finds in the tree of a spec what decides about the key of the instances' volumes.

use crate::job::document::tree::{KeyValue, TreeNode, TreeTable, Value};
use crate::model::InstanceType;

/// Returns the instance types that are written: of the job, of its groups, of its preferences.
pub(super) fn instance_types(spec: &TreeTable) -> Vec<InstanceType> {
    let of_job = spec.at(&["resources", "instance_type"]).into_iter();
    let several = ["instance_groups", "instance_preferences"];
    let entries = several.into_iter().flat_map(|key| items(spec.at(&["resources", key])));
    let of_entries = entries.filter_map(|entry| match &entry.value {
        Value::Table(table) => table.get("type"),
        _ => None,
    });
    of_job.chain(of_entries).filter_map(TreeNode::text).map(InstanceType::new).collect()
}

fn items(node: Option<&TreeNode>) -> &[TreeNode] {
    match node.map(|node| &node.value) {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}

/// Removes the volume's key from the tree if `is_removed` holds for it, and returns its entry.
pub(super) fn remove_key(spec: &mut TreeTable, is_removed: impl Fn(&KeyValue) -> bool) -> Option<KeyValue> {
    let section = spec.entries.iter_mut().find(|entry| entry.key == "encryption")?;
    let Value::Table(table) = &mut section.node.value else { return None };
    let at = table.entries.iter().position(|entry| entry.key == "volume_kms_key_id" && is_removed(entry))?;
    Some(table.entries.remove(at))
}
