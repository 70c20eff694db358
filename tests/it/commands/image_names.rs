//! Names of the SageMaker SDK's own tables in `smtrain image`, `smtrain images` and `framework.name`: those of variants
//! resolve, and those without training images say what their images are for.

use crate::support::{Sandbox, TestResult};

/// In a region, and with nobody to ask.
fn sandbox() -> TestResult<Sandbox> {
    Ok(Sandbox::new()?.with_env("AWS_REGION", "us-west-2").with_env("AWS_ENDPOINT_URL", "http://127.0.0.1:1"))
}

/// What a command says, below its arguments.
fn said(sandbox: &Sandbox, arguments: &str, code: i32) -> TestResult<String> {
    let said = sandbox.smtrain(&[]).args(arguments.split(' ')).run()?.expect(code)?;
    Ok(format!("{arguments}\n{}{}", said.stdout, said.stderr))
}

#[test]
fn names_of_variants_are_images_too() -> TestResult {
    let sandbox = sandbox()?;
    let mut told = String::new();
    for arguments in [
        "pytorch-smp 2.4.1",
        "pytorch-smp 2.5.1 --instance-type ml.p5.48xlarge",
        "pytorch-training-compiler 1.13.1",
        "huggingface-training-compiler 4.21 --pytorch-version 1.11",
        "huggingface-neuronx 4.55 --pytorch-version 2.8",
        "pytorch-neuronx 2.9",
        "pytorch-neuron 1.11",
        "pytorch 2.9 --instance-type ml.trn1.2xlarge",
        "pytorch 1.12 --instance-type ml.trn1.2xlarge",
        "huggingface 4.10.2 --pytorch-version 1.8.1 --instance-type ml.g5.xlarge",
        "autogluon 1.5 --instance-type ml.g5.xlarge",
        "tensorflow 2.21 --instance-type ml.m5.large",
    ] {
        told += &said(&sandbox, &format!("image {arguments}"), 0)?;
    }
    insta::assert_snapshot!(told, @r#"
    image pytorch-smp 2.4.1
    658645717510.dkr.ecr.us-west-2.amazonaws.com/smdistributed-modelparallel:2.4.1-gpu-py311-cu121
    image pytorch-smp 2.5.1 --instance-type ml.p5.48xlarge
    658645717510.dkr.ecr.us-west-2.amazonaws.com/smdistributed-modelparallel:2.5.1-gpu-py311-cu124
    image pytorch-training-compiler 1.13.1
    763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-trcomp-training:1.13.1-gpu-py39
    image huggingface-training-compiler 4.21 --pytorch-version 1.11
    763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-trcomp-training:1.11-transformers4.21-gpu-py38-cu113-ubuntu20.04
    image huggingface-neuronx 4.55 --pytorch-version 2.8
    763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-training-neuronx:2.8.0-transformers4.55.4-neuronx-py310-sdk2.26.0-ubuntu22.04
    image pytorch-neuronx 2.9
    763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training-neuronx:2.9.0-neuronx-py312-sdk2.30.0-ubuntu24.04
    image pytorch-neuron 1.11
    763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training-neuron:1.11-neuron-py38-sdk2.4.0-ubuntu20.04
    image pytorch 2.9 --instance-type ml.trn1.2xlarge
    763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training-neuronx:2.9.0-neuronx-py312-sdk2.30.0-ubuntu24.04
    image pytorch 1.12 --instance-type ml.trn1.2xlarge
    763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training-neuron:1.12.0-neuron-py38-sdk2.6.0-ubuntu20.04
    image huggingface 4.10.2 --pytorch-version 1.8.1 --instance-type ml.g5.xlarge
    763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-training:1.8.1-transformers4.10.2-gpu-py36-cu111-ubuntu18.04
    image autogluon 1.5 --instance-type ml.g5.xlarge
    763104351884.dkr.ecr.us-west-2.amazonaws.com/autogluon-training:1.5.0-gpu-py312-cu126-ubuntu22.04
    image tensorflow 2.21 --instance-type ml.m5.large
    763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.21.0-cpu-py312-amzn2023-sagemaker
    "#);
    Ok(())
}

#[test]
fn names_without_training_images_say_what_their_images_are_for() -> TestResult {
    let sandbox = sandbox()?;
    let mut told = String::new();
    for arguments in [
        "image huggingface-neuron 4.12",
        "image pytorch-inference-graviton 2.3",
        "image inferentia-tensorflow 1.15",
        "image sagemaker-tritonserver",
        "image clarify",
        "image debugger",
        "image sagemaker-base-python",
        "image pytorch-smp 2.4.1 --instance-type ml.m5.large",
        "image pytorch-neuronx 2.9 --instance-type ml.g5.xlarge",
        "images huggingface-neuron",
    ] {
        told += &said(&sandbox, arguments, 2)?;
    }
    insta::assert_snapshot!(told, @r#"
    image huggingface-neuron 4.12
    error: "huggingface-neuron" has no training images: its images are for inference
    hint: to train, use `huggingface` on an ml.trn instance type
    image pytorch-inference-graviton 2.3
    error: "pytorch-inference-graviton" has no training images: its images are for inference
    hint: to train, use `pytorch`
    image inferentia-tensorflow 1.15
    error: "inferentia-tensorflow" has no training images: its images are for inference
    hint: to train, use `tensorflow`
    image sagemaker-tritonserver
    error: "sagemaker-tritonserver" has no training images: its images are for inference
    hint: an image of your own goes in [container]
    image clarify
    error: "clarify" has no training images: its images are for processing jobs
    hint: an image of your own goes in [container]
    image debugger
    error: "debugger" has no training images: its images are for the debugger's and the profiler's rules
    hint: [debugger] and [profiler] choose it for their built-in rules
    image sagemaker-base-python
    error: "sagemaker-base-python" has no training images: its images are for remote functions
    hint: an image of your own goes in [container]
    image pytorch-smp 2.4.1 --instance-type ml.m5.large
    error: `pytorch-smp` 2.4.1 has no image for `ml.m5.large`
    hint: it has images for GPU instances
    image pytorch-neuronx 2.9 --instance-type ml.g5.xlarge
    error: `pytorch-neuronx` 2.9 has no image for `ml.g5.xlarge`
    hint: it has images for ml.trn instances
    images huggingface-neuron
    error: "huggingface-neuron" has no training images: its images are for inference
    hint: to train, use `huggingface` on an ml.trn instance type
    "#);
    Ok(())
}

#[test]
fn the_images_of_a_variant_are_listed_by_its_name() -> TestResult {
    let sandbox = sandbox()?;
    let mut told = String::new();
    for name in ["pytorch-smp", "huggingface-training-compiler", "pytorch-neuronx"] {
        told += &said(&sandbox, &format!("images {name}"), 0)?;
    }
    insta::assert_snapshot!(told, @r#"
    images pytorch-smp
    VERSION  ALSO  BASE  PYTHON  PROCESSORS  REGIONS     FOR
    2.5.1          -     py311   gpu         17 regions  torch_distributed with modelparallel
    2.4.1          -     py311   gpu         17 regions  torch_distributed with modelparallel
    2.3.1          -     py311   gpu         17 regions  torch_distributed with modelparallel
    2.2.0    2.2   -     py310   gpu         17 regions  torch_distributed with modelparallel
    2.1.2    2.1   -     py310   gpu         17 regions  torch_distributed with modelparallel
    2.0.1    2.0   -     py310   gpu         17 regions  torch_distributed with modelparallel
    images huggingface-training-compiler
    VERSION  ALSO  BASE             PYTHON  PROCESSORS  REGIONS     FOR
    4.21.1   4.21  pytorch1.11.0    py38    gpu         33 regions  training_compiler
    4.17.0   4.17  pytorch1.10.2    py38    gpu         33 regions  training_compiler
    4.17.0   4.17  tensorflow2.6.3  py38    gpu         33 regions  training_compiler
    4.11.0   4.11  pytorch1.9.0     py38    gpu         5 regions   training_compiler
    4.11.0   4.11  tensorflow2.5.1  py37    gpu         5 regions   training_compiler
    images pytorch-neuronx
    VERSION  ALSO  BASE  PYTHON  PROCESSORS  REGIONS     FOR
    2.9.0    2.9   -     py312   trn         26 regions  ml.trn instances
    2.8.0    2.8   -     py311   trn         26 regions  ml.trn instances
    2.7.0    2.7   -     py310   trn         26 regions  ml.trn instances
    2.6.0    2.6   -     py310   trn         26 regions  ml.trn instances
    2.5.1    2.5   -     py310   trn         26 regions  ml.trn instances
    2.1.2    2.1   -     py310   trn         26 regions  ml.trn instances
    2.1.1          -     py310   trn         26 regions  ml.trn instances
    1.13.1   1.13  -     py310   trn         26 regions  ml.trn instances
    1.13.1   1.13  -     py38    trn         26 regions  ml.trn instances
    1.13.0         -     py38    trn         26 regions  ml.trn instances
    "#);
    Ok(())
}

#[test]
fn a_variant_is_a_framework_of_a_spec() -> TestResult {
    let sandbox = sandbox()?;
    let mut told = String::new();
    let job = "[source]\nentry_point = \"train.py\"\n[resources]\ninstance_type = \"ml.p4d.24xlarge\"\n";
    for framework in [
        "name = \"pytorch-smp\"\nversion = \"2.4.1\"",
        "name = \"pytorch-training-compiler\"\nversion = \"1.13.1\"",
        "name = \"huggingface-training-compiler\"\nversion = \"4.21\"\npytorch_version = \"1.11\"",
    ] {
        let project = sandbox.project("variant", "")?.whole_spec(&format!("[framework]\n{framework}\n{job}"))?;
        let dry_run = sandbox.smtrain(&["submit", &project.spec(), "--dry-run", "-q", "--role", "R"]).run()?.ok()?;
        let request = dry_run.json()?;
        let compiler = &request["HyperParameters"]["sagemaker_training_compiler_enabled"];
        let image = &request["AlgorithmSpecification"]["TrainingImage"];
        told.extend([format!("{framework}\n{image}, compiler: {compiler}\n")]);
    }
    for framework in [
        "name = \"pytorch-training-compiler\"\nversion = \"1.13.1\"\ntraining_compiler = false",
        "name = \"pytorch-smp\"\nversion = \"2.4.1\"\ntraining_compiler = true",
        "name = \"huggingface-training-compiler\"\nversion = \"4.21\"",
        "name = \"pytorch-neuronx\"\nversion = \"2.9\"",
        "name = \"vllm\"\nversion = \"0.9\"",
    ] {
        let project = sandbox.project("variant", "")?.whole_spec(&format!("[framework]\n{framework}\n{job}"))?;
        told += &sandbox.smtrain(&["validate", "job.toml"]).dir(project.path("")).run()?.expect(2)?.stderr;
    }
    insta::assert_snapshot!(told, @r#"
    name = "pytorch-smp"
    version = "2.4.1"
    "658645717510.dkr.ecr.us-west-2.amazonaws.com/smdistributed-modelparallel:2.4.1-gpu-py311-cu121", compiler: null
    name = "pytorch-training-compiler"
    version = "1.13.1"
    "763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-trcomp-training:1.13.1-gpu-py39", compiler: "true"
    name = "huggingface-training-compiler"
    version = "4.21"
    pytorch_version = "1.11"
    "763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-trcomp-training:1.11-transformers4.21-gpu-py38-cu113-ubuntu20.04", compiler: "true"
    error: `pytorch-training-compiler` has the training compiler
     --> job.toml:4:21
      |
    4 | training_compiler = false
      |                     ^^^^^
      |
      = hint: write name = "pytorch"
    job.toml: 1 error
    error: the images of `pytorch-smp` don't have the training compiler
     --> job.toml:4:21
      |
    4 | training_compiler = true
      |                     ^^^^
      |
      = hint: leave it out
    job.toml: 1 error
    error: [framework] needs `pytorch_version`
     --> job.toml:1:1
      |
    1 | [framework]
      | ^^^^^^^^^^^
      |
      = hint: or `tensorflow_version`: a Hugging Face image has one of both
    job.toml: 1 error
    error: `pytorch-neuronx` 2.9 has no image for `ml.p4d.24xlarge`
     --> job.toml:7:17
      |
    7 | instance_type = "ml.p4d.24xlarge"
      |                 ^^^^^^^^^^^^^^^^^
      |
      = hint: it has images for ml.trn instances
    job.toml: 1 error
    error: "vllm" has no training images: its images are for inference
     --> job.toml:2:8
      |
    2 | name = "vllm"
      |        ^^^^^^
      |
      = hint: an image of your own goes in [container]
    job.toml: 1 error
    "#);
    Ok(())
}
