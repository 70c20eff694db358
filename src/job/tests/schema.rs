//! The JSON Schema, held against specs with a validator of others' making.

use boon::{Compiler, SchemaIndex, Schemas};

use crate::job::schema::json_schema::schema;
use crate::tests::TestResult;

/// The schema, ready to check specs.
pub(super) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub(super) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("job.schema.json", schema())?;
        let index = compiler.compile("job.schema.json", &mut schemas)?;
        Ok(Self { schemas, index })
    }

    /// What it has against a spec. Fails for what is no TOML.
    pub(super) fn problem(&self, spec: &str) -> Result<Option<String>, Box<dyn std::error::Error>> {
        let spec = serde_json::to_value(toml::from_str::<toml::Table>(spec)?)?;
        Ok(self.schemas.validate(&spec, self.index).err().map(|error| error.to_string()))
    }
}

#[test]
fn the_schema_is_one() -> TestResult {
    let schema = Schema::new()?;
    assert_eq!(schema.problem(super::BASE)?, None);
    assert!(schema.problem("epochs = 1")?.is_some_and(|problem| problem.contains("epochs")));
    Ok(())
}

/// Unknown keys, wrong types and missing keys are an editor's to show as well.
#[test]
fn mistakes_of_form_are_mistakes_to_the_schema() -> TestResult {
    let schema = Schema::new()?;
    let mut seen = 0;
    for case in super::problems::cases()? {
        let is_of_form = |problem: &&str| {
            [" unknown key ", " and should be ", "] needs `"].iter().any(|words| problem.contains(words))
        };
        // What is only needed where something else isn't said.
        let depends = |problem: &&str| {
            ["instance_type`", "_version`", "needs `version`", "_type`", "[algorithm] needs"]
                .iter()
                .any(|key| problem.contains(key))
        };
        let is_shown = case.problems.iter().any(|problem| is_of_form(problem) && !depends(problem));
        if is_shown && toml::from_str::<toml::Table>(&case.spec).is_ok() {
            seen += 1;
            assert!(schema.problem(&case.spec)?.is_some(), "{}\n{:?}", case.spec, case.problems);
        }
    }
    assert!(seen > 30, "only {seen} cases");
    Ok(())
}
