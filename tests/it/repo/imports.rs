//! The imports of `src/`, resolved: which file uses what another one defines. Read from the syntax, with `super::`, groups,
//! globs and re-exports.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Meta, UseTree, Visibility};

use super::architecture::{Source, sources};
use crate::support::TestResult;

/// A path from the crate's root, without `crate`.
type Path = Vec<String>;

/// Every file of the product that isn't a test, by its module.
pub(super) struct Imports {
    files: BTreeMap<Path, File>,
    /// What a public `use` gives a second path.
    reexports: HashMap<Path, Path>,
}

/// What one file uses and how it is called.
struct File {
    name: String,
    used: Vec<Path>,
}

/// One file's import of an item that another file defines, by their paths below `src/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: String,
    pub(super) to: String,
    /// The item, as a path from the crate's root.
    pub(super) item: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{} imports {} of src/{}", self.from, self.item, self.to)
    }
}

impl Imports {
    pub(super) fn read() -> TestResult<Self> {
        Self::of(&sources()?)
    }

    fn of(sources: &[Source]) -> TestResult<Self> {
        let modules: BTreeSet<Path> = sources.iter().map(module).collect();
        let mut imports = Self { files: BTreeMap::new(), reexports: HashMap::new() };
        for source in sources {
            let mut reader = Reader::new(module(source), &modules);
            reader.visit_file(&syn::parse_file(&source.code).map_err(|error| format!("{}: {error}", source.name))?);
            let used = reader.used();
            imports.reexports.extend(reader.reexports);
            imports.files.insert(module(source), File { name: source.name.clone(), used });
        }
        Ok(imports)
    }

    /// Every import between two files, each pair once.
    pub(super) fn between_files(&self) -> Vec<Import> {
        let mut imports = BTreeMap::new();
        for file in self.files.values() {
            for item in &file.used {
                let Some(to) = self.definition(item).filter(|to| to.name != file.name) else { continue };
                let import = Import { from: file.name.clone(), to: to.name.clone(), item: item.join("::") };
                imports.entry((import.from.clone(), import.to.clone())).or_insert(import);
            }
        }
        imports.into_values().collect()
    }

    /// Every path that a file uses, from the crate's root.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.files.values().flat_map(|file| file.used.iter().map(|path| (file.name.as_str(), path)))
    }

    /// The file that defines an item: the deepest module on its path, once re-exports are followed. None for a whole module.
    fn definition(&self, item: &Path) -> Option<&File> {
        let item = self.followed(item);
        let depth = (0..=item.len()).rev().find(|depth| self.files.contains_key(&item[..*depth]))?;
        if depth == item.len() { None } else { self.files.get(&item[..depth]) }
    }

    fn followed(&self, item: &Path) -> Path {
        let mut item = item.clone();
        // Longer chains of re-exports would be a circle of their own.
        for _ in 0..8 {
            let Some(depth) = (1..=item.len()).find(|depth| self.reexports.contains_key(&item[..*depth])) else {
                break;
            };
            let original = &self.reexports[&item[..depth]];
            item = original.iter().chain(&item[depth..]).cloned().collect();
        }
        item
    }
}

fn module(source: &Source) -> Path {
    let path = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
    if ["lib", "main"].contains(&path) { Path::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Collects the paths of one file.
struct Reader<'a> {
    module: Path,
    modules: &'a BTreeSet<Path>,
    /// Names that `use` brings into the file, and what they stand for.
    names: HashMap<String, Path>,
    /// Names that are re-exported, which the file may use too.
    public: HashMap<String, Path>,
    reexports: HashMap<Path, Path>,
    written: Vec<Path>,
}

impl<'a> Reader<'a> {
    fn new(module: Path, modules: &'a BTreeSet<Path>) -> Self {
        let (names, public, reexports) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { module, modules, names, public, reexports, written: Vec::new() }
    }

    /// A written path from the crate's root; none where it leads out of the crate.
    fn resolved(&self, path: &[String]) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Path::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            name => {
                let child = [&self.module[..], &[name.to_owned()]].concat();
                if self.modules.contains(&child) { child } else { self.names.get(name)?.clone() }
            }
        };
        let supers = rest.iter().take_while(|segment| *segment == "super").count();
        let start = start.get(..start.len().checked_sub(supers)?)?;
        Some([start, &rest[supers..]].concat())
    }

    fn bring_in(&mut self, tree: &UseTree, before: &[String], is_public: bool) {
        match tree {
            UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                self.bring_in(&path.tree, &before, is_public);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.bring_in(tree, before, is_public)),
            UseTree::Name(name) => self.bring_in_name(&name.ident.to_string(), None, before, is_public),
            UseTree::Rename(name) => {
                self.bring_in_name(&name.ident.to_string(), Some(name.rename.to_string()), before, is_public);
            }
            UseTree::Glob(_) => self.written.push([before, &["*".to_owned()]].concat()),
        }
    }

    fn bring_in_name(&mut self, name: &str, alias: Option<String>, before: &[String], is_public: bool) {
        let path = if name == "self" { before.to_vec() } else { [before, &[name.to_owned()]].concat() };
        let (Some(last), Some(resolved)) = (path.last(), self.resolved(&path)) else { return };
        let alias = alias.unwrap_or_else(|| last.clone());
        if is_public {
            self.reexports.insert([&self.module[..], std::slice::from_ref(&alias)].concat(), resolved.clone());
            self.public.insert(alias, resolved);
        } else {
            self.names.insert(alias, resolved);
            self.written.push(path);
        }
    }

    /// Every path that the file uses: re-exports only where it uses them itself.
    fn used(&self) -> Vec<Path> {
        let whole = self.written.iter().filter_map(|path| {
            let own = path.first().filter(|_| path.len() == 1).and_then(|name| self.public.get(name));
            own.cloned().or_else(|| self.resolved(path))
        });
        whole.collect()
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Fn(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.bring_in(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    /// Modules that stand in the file count as the file; only their `super` differs.
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.written.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// What a macro is given is tokens: expressions, in the macros of this crate.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::");
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let paths = words.map(|word| word.trim_matches(':')).filter(|word| word.contains("::"));
        self.written.extend(paths.map(|path| path.split("::").map(str::to_owned).collect()));
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

/// Every way to name an item is an import of the file that defines it.
#[test]
fn every_way_to_import_is_seen() -> TestResult {
    let files = [
        ("a/mod.rs", "mod b; mod c; pub(crate) use b::Thing; pub(crate) fn own() {} fn f() { c::call(); }"),
        ("a/b.rs", "use super::own; pub(crate) struct Thing;"),
        ("a/c.rs", "use crate::{a::Thing, d::{self, E}}; pub(crate) fn call() { d::g(); }"),
        ("d.rs", "pub(crate) struct E; pub(crate) fn g() { h!(crate::e::F); }"),
        ("e.rs", "pub(crate) const F: u8 = 0; #[cfg(test)] mod tests { use crate::d::E; }"),
        ("lib.rs", "mod a; mod d; mod e;"),
    ];
    let sources = files.map(|(name, code)| Source { name: name.into(), code: code.into(), lines: 1 });
    let imports = Imports::of(&sources)?.between_files();
    let imports: Vec<_> = imports.iter().map(|import| (import.from.as_str(), import.to.as_str())).collect();
    let expected =
        [("a/b.rs", "a/mod.rs"), ("a/c.rs", "a/b.rs"), ("a/c.rs", "d.rs"), ("a/mod.rs", "a/c.rs"), ("d.rs", "e.rs")];
    assert_eq!(imports, expected);
    Ok(())
}
