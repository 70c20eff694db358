//! Every answer of the SDK, in the compact form that `make_answers.py` describes, against ours.

use std::collections::BTreeMap;

use super::super::{processor, resolve};
use super::{BUILT_IN, framework};
use crate::images::query::{BaseFramework, ImageKind, ImageQuery, Library};
use crate::images::resolve::Choice;
use crate::model::InstanceType;

const ANSWERS: &str = include_str!("answers.txt");

type IsMeant = fn(&Case<'_>) -> bool;

/// Where the answer is meant to differ, and why.
const EXCEPTIONS: [(&str, IsMeant); 11] = [
    ("the SDK wants a Python version where there are several; here the newest is meant", |case| {
        case.theirs.is_none() && case.question.py_version.is_empty()
    }),
    ("the SDK takes any version for the only one", |case| case.ours.is_none() && case.question.version == "0.0.7"),
    ("the SDK picks a version by itself where there are several", |case| {
        case.ours.is_none() && case.question.version.is_empty()
    }),
    ("the SDK gives PyTorch 1.11 on Trainium whatever version is asked for", |case| {
        case.question.name == "pytorch"
            && processor::of(case.instance_type) == "trn"
            && !case.question.version.starts_with("1.11")
    }),
    ("the SDK gives Inferentia instances, which don't train, the images of other processors", |case| {
        case.ours.is_none() && processor::of(case.instance_type) == "inf"
    }),
    ("the SDK forgets CUDA's version in the tag when it is asked by the name of the library's table", |case| {
        case.question.name == "pytorch-smp"
    }),
    ("the SDK refuses the name of its own table, which its code selects", |case| {
        case.theirs.is_none() && case.question.name == "huggingface-training-compiler"
    }),
    ("AWS's list of images has another one (CORRECTIONS in make_catalog.py)", is_corrected),
    ("the tags of the model parallelism library have PyTorch's version, not its own as in the SDK's table", |case| {
        let of_library = ["2.3.0", "2.5.0", "2.7.0", "2.8.0"];
        case.ours.is_none() && case.question.library == "modelparallel" && of_library.contains(&case.question.version)
    }),
    ("the SDK forgets with model parallelism that p2 doesn't run PyTorch 1.13 and later", |case| {
        case.ours.is_none() && case.question.library == "modelparallel" && processor::family(case.instance_type) == "p2"
    }),
    ("the SDK has tables of images for Trainium that it never looks into", |case| {
        case.theirs.is_none() && processor::of(case.instance_type) == "trn"
    }),
];

/// Returns whether the catalog has a correction for the image.
fn is_corrected(case: &Case<'_>) -> bool {
    let Question { name, version, base, library, .. } = case.question;
    let is = |start: &str| *version == start || version.starts_with(&format!("{start}."));
    match *name {
        "autogluon" => is("1.4") || is("1.5"),
        "tensorflow" => is("2.19") || is("2.21"),
        "huggingface" => is("4.10") && (base.starts_with("pytorch1.8") || base.starts_with("tensorflow2.4")),
        "pytorch" => *library == "modelparallel" && is("2.0"),
        _ => false,
    }
}

struct Case<'a> {
    question: &'a Question<'a>,
    instance_type: &'a InstanceType,
    theirs: Option<String>,
    ours: Option<String>,
}

struct Answers<'a> {
    instances: Vec<InstanceType>,
    /// Every region with its suffix.
    regions: Vec<(&'a str, &'a str)>,
    questions: Vec<Question<'a>>,
}

/// A line of the file.
struct Question<'a> {
    name: &'a str,
    version: &'a str,
    base: &'a str,
    py_version: &'a str,
    library: &'a str,
    /// Region to account.
    accounts: BTreeMap<&'a str, &'a str>,
    /// By the number of the instance type: its image, none, or not asked.
    images: BTreeMap<usize, Option<String>>,
}

fn answers() -> Option<Answers<'static>> {
    let [head, shown, questions] = ANSWERS.split("\n\n").collect::<Vec<_>>().try_into().ok()?;
    let mut head = head.lines();
    let instances = head.next()?.split(' ').map(InstanceType::new).collect();
    let regions = head.next()?.split(' ').filter_map(|pair| pair.split_once('=')).collect();
    let tables: Vec<_> = head.map(accounts).collect();
    let shown: Vec<&str> = shown.lines().collect();
    let mut above = [""; 6];
    let mut read = |line: &'static str| {
        for (part, before) in line.split('|').zip(&mut above) {
            *before = if part == "=" { *before } else { part };
        }
        question(above, &shown, &tables)
    };
    let questions = questions.lines().map(&mut read).collect::<Option<_>>()?;
    Some(Answers { instances, regions, questions })
}

fn accounts(line: &str) -> BTreeMap<&str, &str> {
    let accounts = line.split(' ').filter_map(|pair| pair.split_once('='));
    accounts.flat_map(|(account, regions)| regions.split(',').map(move |region| (region, account))).collect()
}

fn question<'a>(parts: [&'a str; 6], shown: &[&str], tables: &[BTreeMap<&'a str, &'a str>]) -> Option<Question<'a>> {
    let [name, version, base, py_version, library, answer] = parts;
    let mut answer = shown.get(answer.parse::<usize>().ok()?)?.split(' ');
    let accounts = tables.get(answer.next()?.parse::<usize>().ok()?)?.clone();
    let letters = answer.next()?;
    let known: Vec<String> = answer.map(|image| image.replace("$v", version).replace("$p", py_version)).collect();
    let image = |letter: u8| known.get(usize::from(letter.checked_sub(b'a')?)).cloned();
    let images = letters.bytes().enumerate().filter(|(_, letter)| *letter != b'.');
    let images = images.map(|(instance, letter)| (instance, image(letter))).collect();
    Some(Question { name, version, base, py_version, library, accounts, images })
}

impl<'a> Question<'a> {
    /// The question in our words.
    fn query(&self, kind: ImageKind, instance_type: &'a InstanceType) -> ImageQuery<'_> {
        let given = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        let base = ["pytorch", "tensorflow"].into_iter().find_map(|name| Some((name, self.base.strip_prefix(name)?)));
        ImageQuery {
            kind,
            version: given(self.version),
            py_version: given(self.py_version),
            base: base.map(|(name, version)| BaseFramework { name, version }),
            training_compiler: self.library == "compiler",
            library: match self.library {
                "smdistributed" => Library::Smdistributed,
                "modelparallel" => Library::ModelParallel,
                _ => Library::Any,
            },
            ..framework(self.name, "", instance_type)
        }
    }

    fn theirs(&self, instance: usize, (region, suffix): (&str, &str)) -> Option<String> {
        let (account, image) = (self.accounts.get(region)?, self.images.get(&instance)?.as_ref()?);
        Some(format!("{account}.dkr.ecr.{region}.{suffix}/{image}"))
    }

    /// An algorithm where no framework is called so.
    fn ours(&self, instance_type: &'a InstanceType) -> Option<Choice<'_>> {
        let mut kinds = [ImageKind::Framework, ImageKind::Algorithm].into_iter();
        kinds.find_map(|kind| resolve(&BUILT_IN, &self.query(kind, instance_type)).ok())
    }
}

#[test]
fn the_sdk_gives_the_same_images() -> Result<(), &'static str> {
    let answers = answers().ok_or("answers.txt can't be read")?;
    let mut found = [0; EXCEPTIONS.len()];
    let (mut same, mut wrong) = (0, Vec::new());
    for (number, question) in answers.questions.iter().enumerate() {
        for (instance, instance_type) in answers.instances.iter().enumerate() {
            if !question.images.contains_key(&instance) {
                continue;
            }
            let choice = question.ours(instance_type);
            for region in regions(&answers, number + instance) {
                let theirs = question.theirs(instance, region);
                let ours = choice.as_ref().and_then(|choice| choice.uri(region.0).ok());
                if theirs == ours {
                    same += 1;
                    continue;
                }
                let case = Case { question, instance_type, theirs, ours };
                match EXCEPTIONS.iter().position(|(_, is_meant)| is_meant(&case)) {
                    Some(reason) => found[reason] += 1,
                    None => wrong.push(show(&case, region.0)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(same > 20_000, "only {same} cases");
    for ((reason, _), count) in EXCEPTIONS.iter().zip(found) {
        assert!(count > 0, "no more so: {reason}");
    }
    Ok(())
}

/// Regions of the three partitions with customers, and another one in each case, so that all have their turn.
fn regions<'a>(answers: &'a Answers<'a>, turn: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
    let always = ["eu-west-1", "cn-north-1", "us-gov-west-1"];
    let turn = turn % answers.regions.len();
    let regions = answers.regions.iter().enumerate();
    regions.filter(move |(number, (region, _))| *number == turn || always.contains(region)).map(|(_, region)| *region)
}

fn show(case: &Case<'_>, region: &str) -> String {
    let Question { name, version, base, py_version, library, .. } = case.question;
    let (theirs, ours) = (case.theirs.as_deref().unwrap_or("refused"), case.ours.as_deref().unwrap_or("refused"));
    let asked = format!("{name} {version} {base} {py_version} {library} {} {region}", case.instance_type);
    format!("{asked}\n    theirs: {theirs}\n    ours:   {ours}")
}
