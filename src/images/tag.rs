//! Composes an image's tag, which depends on the processor, and its URI, which depends on the region as well.

use super::error::{ImageError, Subject};
use super::processor::{self, CPU, GPU};
use super::query::Library;
use super::resolve::Choice;
use super::versions;
use crate::model::InstanceType;

/// Suffixes of tags on p4d instances and with smdistributed: framework, tag, suffix (`image_uris._get_image_tag` of the
/// SDK).
const SPECIAL_SUFFIXES: [(&str, &str, &str); 12] = [
    ("tensorflow", "2.3-gpu-py37", "cu110-ubuntu18.04-v3"),
    ("tensorflow", "2.3.1-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "2.3.2-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "1.15-gpu-py37", "cu110-ubuntu18.04-v8"),
    ("tensorflow", "1.15.4-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "1.15.5-gpu-py37", "cu110-ubuntu18.04"),
    ("mxnet", "1.8-gpu-py37", "cu110-ubuntu16.04-v1"),
    ("mxnet", "1.8.0-gpu-py37", "cu110-ubuntu16.04"),
    ("pytorch", "1.6-gpu-py36", "cu110-ubuntu18.04-v3"),
    ("pytorch", "1.6.0-gpu-py36", "cu110-ubuntu18.04"),
    ("pytorch", "1.6-gpu-py3", "cu110-ubuntu18.04-v3"),
    ("pytorch", "1.6.0-gpu-py3", "cu110-ubuntu18.04"),
];

/// The first versions that p2 instances can't run (`image_uris._validate_instance_deprecation` of the SDK).
const WITHOUT_P2: [(&str, &str); 2] = [("pytorch", "1.13"), ("tensorflow", "2.12")];

impl Choice<'_> {
    /// Returns the URI in a region, such as
    /// `763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3-gpu-py311`.
    pub(crate) fn uri(&self, region: &str) -> Result<String, ImageError> {
        let tag = self.tag()?;
        let Some(account) = self.catalog.account(self.entry, region) else { return Err(self.no_region(region)) };
        let suffix = self.catalog.suffix(region);
        let repository = &self.entry.repository;
        Ok(format!("{account}.dkr.ecr.{region}.{suffix}/{repository}:{tag}"))
    }

    /// Returns the tag, which is the same in every region. Fails if no image is for the instance type.
    pub(crate) fn tag(&self) -> Result<String, ImageError> {
        if let Some(instance_type) = self.query.instance_type {
            self.check_instance(instance_type)?;
        }
        let processor = self.processor()?;
        let shown = processor.filter(|_| !self.entry.bare).map(|processor| self.processor_in_tag(processor));
        let suffix = processor.and_then(|processor| self.suffix(processor));
        let prefix = self.prefix();
        let parts = [Some(prefix.as_str()), shown, self.py_version, suffix];
        let tag = parts.iter().flatten().copied().collect::<Vec<_>>().join("-");
        Ok(match self.special_suffix(&tag) {
            Some(special) => format!("{tag}-{special}"),
            None => tag,
        })
    }

    fn prefix(&self) -> String {
        match (&self.query.base, &self.entry.prefix) {
            (Some(base), _) if self.entry.repository.ends_with("-neuronx") => {
                let full = self.entry.base.first().and_then(|full| full.strip_prefix(base.name));
                format!("{}-transformers{}", full.unwrap_or(base.version), self.known)
            }
            (Some(base), _) if !self.entry.base.is_empty() => format!("{}-transformers{}", base.version, self.version),
            (_, Some(prefix)) if self.is_unknown() => prefix.replace(self.known, self.version),
            (_, Some(prefix)) => prefix.clone(),
            (_, None) => self.version.to_owned(),
        }
    }

    fn is_unknown(&self) -> bool {
        self.images.known(self.version).is_none()
    }

    fn check_instance(&self, instance_type: &InstanceType) -> Result<(), ImageError> {
        if processor::is_graviton(instance_type) {
            let message = format!("`{instance_type}` has a Graviton processor, for which there are no training images");
            return Err(ImageError::new(
                Subject::InstanceType,
                message,
                "choose a type without it, such as `ml.m5.xlarge`",
            ));
        }
        let first = WITHOUT_P2.iter().find(|(name, _)| *name == self.query.name).map(|(_, first)| *first);
        let is_too_new = first.is_some_and(|first| versions::key(self.version) >= versions::key(first));
        if is_too_new && processor::family(instance_type) == "p2" {
            let message = format!("`{instance_type}` doesn't run `{}` {}", self.query.name, self.version);
            return Err(ImageError::new(
                Subject::InstanceType,
                message,
                "choose a newer GPU, such as `ml.g4dn.xlarge`",
            ));
        }
        Ok(())
    }

    /// Returns the processor that the image is for, or `None` if one image is for all.
    fn processor(&self) -> Result<Option<&str>, ImageError> {
        let known = self.images.processors(self.entry);
        let wanted = self.query.instance_type.map(|instance_type| (instance_type, processor::of(instance_type)));
        match (known, wanted) {
            ([], Some((instance_type, wanted))) if processor::is_neuron(wanted) => {
                Err(self.no_processor(instance_type, &[CPU.to_owned(), GPU.to_owned()]))
            }
            ([], _) => Ok(None),
            (_, Some((_, wanted))) if known.iter().any(|known| known == wanted) => Ok(Some(wanted)),
            (_, Some((instance_type, _))) => Err(self.no_processor(instance_type, known)),
            ([only], None) => Ok(Some(only)),
            (_, None) => {
                let message = format!("the image of `{}` depends on the instance type", self.query.name);
                Err(ImageError::new(Subject::InstanceType, message, "such as `ml.m5.xlarge`"))
            }
        }
    }

    fn no_processor(&self, instance_type: &InstanceType, known: &[String]) -> ImageError {
        let message = format!("`{}` {} has no image for `{instance_type}`", self.query.name, self.version);
        ImageError::new(Subject::InstanceType, message, format!("it has images for {}", kinds(known)))
    }

    /// Returns the processor as the tag names it: Neuron images have the generation of the Neuron SDK.
    fn processor_in_tag<'a>(&self, processor: &'a str) -> &'a str {
        match processor {
            processor::TRAINIUM if self.entry.repository.ends_with("-neuronx") => "neuronx",
            processor::TRAINIUM => "neuron",
            _ => processor,
        }
    }

    fn suffix(&self, processor: &str) -> Option<&str> {
        if self.entry.repository != "smdistributed-modelparallel" {
            return self.entry.suffix.get(processor).map(String::as_str);
        }
        // CUDA's version, by the release notes of the model parallelism library in SageMaker's documentation.
        Some(if versions::key(self.version) < versions::key("2.5") { "cu121" } else { "cu124" })
    }

    fn special_suffix(&self, tag: &str) -> Option<&'static str> {
        let is_p4d = self.query.instance_type.is_some_and(|it| processor::family(it) == "p4d");
        let is_special = is_p4d || self.query.library != Library::Any;
        let name = self.query.name;
        let suffix = SPECIAL_SUFFIXES.iter().find(|(framework, special, _)| *framework == name && *special == tag);
        suffix.filter(|_| is_special).map(|(_, _, suffix)| *suffix)
    }

    fn no_region(&self, region: &str) -> ImageError {
        let message = format!("`{}` {} has no image in region {region:?}", self.query.name, self.version);
        let has =
            |version: &&str| self.images.entries(version).iter().any(|it| self.catalog.account(it, region).is_some());
        let hint = if !self.catalog.regions().any(|known| known == region) {
            match versions::near_region(region, self.catalog.regions()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "there are no images at all in that region".to_owned(),
            }
        } else if let Some(version) = self.images.newest_first().into_iter().find(has) {
            format!("the newest version with an image there is `{version}`")
        } else {
            "none of its versions has one there: choose another region".to_owned()
        };
        ImageError::new(Subject::Region, message, hint)
    }
}

/// Names instances by their processors, for messages.
fn kinds(processors: &[String]) -> String {
    let word = |processor: &String| match processor.as_str() {
        CPU => "CPU instances",
        GPU => "GPU instances",
        _ => "ml.trn instances",
    };
    processors.iter().map(word).collect::<Vec<_>>().join(" and ")
}
