//! `smtrain init`.

use std::fs;

use crate::support::{Sandbox, TestResult};

#[test]
fn lists_the_templates() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["init", "--list"]).run()?.ok()?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 0
    --- stdout
    TEMPLATE               WHAT IT IS FOR
    quickstart             Tells penguin species apart: plain Python, its data included, nothing to install
    custom-container       Runs your code in a container image of your own: any image with a shell and Python
    heterogeneous          Makes batches on cheap CPU instances for a GPU that trains: a heterogeneous cluster, PyTorch
    huggingface            Tells kind sentences from unkind ones: Hugging Face Transformers, a tiny BERT of its own
    mxnet                  Learns the noise-free curve behind noisy points: MXNet, a small Gluon network
    pytorch                Tells penguin species apart: PyTorch, a small neural network, on a GPU where there is one
    pytorch-distributed    Trains on several GPUs and hosts at once: PyTorch, DistributedDataParallel, started by torchrun
    sklearn                Tells malignant tumours from benign ones: scikit-learn, a random forest with cross-validation
    spot-with-checkpoints  Trains on spot instances and goes on where it was interrupted: PyTorch, checkpoints in S3
    tensorflow             Tells penguin species apart: TensorFlow, a small Keras model, saved for TensorFlow Serving
    xgboost                Tells a penguin's sex: XGBoost with a script of your own, early stopping, missing values
    xgboost-builtin        Tells penguin species apart: SageMaker's built-in XGBoost, with CSV files and no code at all
    --- stderr
    "#);
    Ok(())
}

#[test]
fn writes_the_template_and_prints_its_files() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["init", "proj"]).run()?.ok()?;
    // The schema is generated.
    insta::assert_snapshot!(said.to_string().replace("proj/job.schema.json\n", ""), @r#"
    exit code: 0
    --- stdout
    proj/data/SOURCE.md
    proj/data/penguins.csv
    proj/job.toml
    proj/train.py
    --- stderr
    run it on this computer: smtrain submit proj/job.toml --local --follow
    "#);
    for file in said.lines() {
        assert!(sandbox.path(file).is_file(), "{file}");
    }
    Ok(())
}

#[test]
fn writes_into_this_folder_quietly() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir(sandbox.path("here"))?;
    fs::write(sandbox.path("here/notes.txt"), "mine")?;
    let said = sandbox.smtrain(&["init", "-q", "-t", "sklearn"]).dir(sandbox.path("here")).run()?.ok()?;
    assert_eq!(said.stderr, "");
    assert!(sandbox.path("here/job.toml").is_file());
    assert_eq!(fs::read_to_string(sandbox.path("here/notes.txt"))?, "mine");
    Ok(())
}

#[test]
fn overwrites_nothing() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::create_dir(sandbox.path("proj"))?;
    fs::write(sandbox.path("proj/train.py"), "mine")?;
    let said = sandbox.smtrain(&["init", "proj"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: proj/train.py already exists
    hint: choose another folder: smtrain init DIR
    "#);
    assert_eq!(fs::read_to_string(sandbox.path("proj/train.py"))?, "mine");
    assert!(!sandbox.path("proj/job.toml").exists(), "a part of the template was written");
    Ok(())
}

#[test]
fn a_second_spec_in_a_folder_finds_its_schema_there() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["init", "proj"]).run()?.ok()?;
    for name in ["job.toml", "train.py"] {
        fs::rename(sandbox.path("proj").join(name), sandbox.path("proj").join(format!("first-{name}")))?;
    }
    let said = sandbox.smtrain(&["init", "-q", "-t", "sklearn", "proj"]).run()?.ok()?;
    assert_eq!(said.lines(), ["proj/job.toml", "proj/requirements.txt", "proj/train.py"]);
    Ok(())
}

#[test]
fn a_folder_that_is_a_file_is_an_error() -> TestResult {
    let sandbox = Sandbox::new()?;
    fs::write(sandbox.path("file"), "")?;
    let said = sandbox.smtrain(&["init", "file"]).run()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 1
    --- stdout
    --- stderr
    error: could not write file/data/SOURCE.md
      cause: Not a directory (os error 20)
    "#);
    Ok(())
}

#[test]
fn an_unknown_template_names_the_nearest() -> TestResult {
    let sandbox = Sandbox::new()?;
    let said = sandbox.smtrain(&["init", "x", "-t", "quikstart"]).run()?.expect(2)?;
    insta::assert_snapshot!(said.to_string(), @r#"
    exit code: 2
    --- stdout
    --- stderr
    error: there is no template quikstart
    hint: did you mean quickstart?
    "#);
    assert!(!sandbox.path("x").exists());
    Ok(())
}

#[test]
fn the_quickstart_trains_a_model() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["init", "proj"]).run()?.ok()?;
    let arguments = ["submit", "proj/job.toml", "--local", "--follow", "--download", "models"];
    let said = sandbox.smtrain(&arguments).run()?.ok()?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r#"
    exit code: 0
    --- stdout
    penguins-[STAMP]
    --- stderr
    left out of the code by ignore files and source.exclude: 2 paths (-v names them)
    code: 2 files, [SIZE] packed, sha256 [SHA256]
    Starting: Preparing the job on this computer
    Downloading: Preparing the code and the input data
    Training: Training in progress
    342 penguins, 2 left out for missing measurements
    epoch=1 train_loss=0.5506 validation_accuracy=0.9420
    epoch=2 train_loss=0.2690 validation_accuracy=0.9855
    epoch=3 train_loss=0.1954 validation_accuracy=0.9855
    epoch=4 train_loss=0.1581 validation_accuracy=0.9855
    epoch=5 train_loss=0.1351 validation_accuracy=0.9855
    epoch=6 train_loss=0.1192 validation_accuracy=0.9855
    epoch=7 train_loss=0.1076 validation_accuracy=0.9855
    epoch=8 train_loss=0.0986 validation_accuracy=0.9855
    epoch=9 train_loss=0.0915 validation_accuracy=0.9855
    epoch=10 train_loss=0.0856 validation_accuracy=0.9855
    epoch=11 train_loss=0.0807 validation_accuracy=0.9855
    epoch=12 train_loss=0.0766 validation_accuracy=0.9855
    epoch=13 train_loss=0.0730 validation_accuracy=0.9855
    epoch=14 train_loss=0.0698 validation_accuracy=0.9855
    epoch=15 train_loss=0.0671 validation_accuracy=0.9855
    epoch=16 train_loss=0.0646 validation_accuracy=0.9855
    epoch=17 train_loss=0.0625 validation_accuracy=0.9855
    epoch=18 train_loss=0.0605 validation_accuracy=0.9855
    epoch=19 train_loss=0.0587 validation_accuracy=0.9855
    epoch=20 train_loss=0.0571 validation_accuracy=0.9855
    epoch=21 train_loss=0.0556 validation_accuracy=0.9855
    epoch=22 train_loss=0.0542 validation_accuracy=0.9855
    epoch=23 train_loss=0.0529 validation_accuracy=0.9855
    epoch=24 train_loss=0.0518 validation_accuracy=0.9855
    epoch=25 train_loss=0.0507 validation_accuracy=0.9855
    epoch=26 train_loss=0.0497 validation_accuracy=0.9855
    epoch=27 train_loss=0.0487 validation_accuracy=0.9855
    epoch=28 train_loss=0.0478 validation_accuracy=0.9855
    epoch=29 train_loss=0.0470 validation_accuracy=0.9855
    epoch=30 train_loss=0.0462 validation_accuracy=0.9855
    epoch=31 train_loss=0.0454 validation_accuracy=0.9855
    epoch=32 train_loss=0.0447 validation_accuracy=0.9855
    epoch=33 train_loss=0.0441 validation_accuracy=0.9855
    epoch=34 train_loss=0.0434 validation_accuracy=0.9855
    epoch=35 train_loss=0.0428 validation_accuracy=0.9855
    epoch=36 train_loss=0.0422 validation_accuracy=0.9855
    epoch=37 train_loss=0.0417 validation_accuracy=0.9855
    epoch=38 train_loss=0.0412 validation_accuracy=0.9855
    epoch=39 train_loss=0.0407 validation_accuracy=0.9855
    epoch=40 train_loss=0.0402 validation_accuracy=0.9855
    accuracy=0.9855 on 69 penguins that the model had not seen
    Uploading: Storing the model and the output data
    Completed: Training job completed
    42 lines, 1/1 node, 0 late, 0 gaps
    job penguins-[STAMP] completed
    model: 1 file, 870 B in models/penguins-[STAMP]/model
    output data: 1 file, 5.04 KiB in models/penguins-[STAMP]/output
    "#);
    let left = sandbox.path("models").join(said.line());
    let model: serde_json::Value = serde_json::from_str(&fs::read_to_string(left.join("model/model.json"))?)?;
    assert_eq!(model["species"].as_array().map(Vec::len), Some(3));
    assert!(left.join("output/report.json").is_file());
    Ok(())
}

/// Installs scikit-learn from the package index: the one test that needs the network.
#[test]
fn the_sklearn_template_trains_a_model() -> TestResult {
    let sandbox = Sandbox::new()?;
    sandbox.smtrain(&["init", "proj", "-t", "sklearn"]).run()?.ok()?;
    let arguments = ["submit", "proj/job.toml", "--local", "-H", "trees=20", "--set", "local.stop_grace=1s"];
    let job = sandbox.smtrain(&arguments).run()?.ok()?.line().to_owned();
    // Installing may take longer than a command is given, and each wait is one.
    let ended = (0..5).find_map(|_| sandbox.smtrain(&["wait", &job]).run().ok());
    let said = ended.ok_or("the job did not end")?.ok()?;
    assert_eq!(said.line(), format!("{job} Completed"));
    let log = sandbox.log(&job)?;
    // The digits depend on the version of scikit-learn that is installed.
    assert!(log.contains("\ntest_accuracy=0.9"), "{log}");
    sandbox.smtrain(&["download", &job, "-d", "models"]).run()?.ok()?;
    assert!(sandbox.path("models").join(&job).join("model/model.joblib").is_file());
    Ok(())
}

#[test]
fn the_list_is_printed_as_json() -> TestResult {
    let said = Sandbox::new()?.smtrain(&["init", "--list", "-o", "json"]).run()?.ok()?;
    let names: Vec<_> = said.json_lines()?.into_iter().map(|template| template["name"].clone()).collect();
    assert_eq!(names.first(), Some(&"quickstart".into()));
    assert!(names.len() > 10 && names.contains(&"sklearn".into()), "{names:?}");
    Ok(())
}
