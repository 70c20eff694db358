//! `smtrain submit`.

use crate::support::{Sandbox, TestResult};

#[test]
fn stdout_is_the_name_alone() -> TestResult {
    let sandbox = Sandbox::new()?;
    let project = sandbox.project("proj", "print('hello')")?;
    let job = sandbox.complete(&project, &[])?;
    assert!(job.starts_with("proj-20"), "{job}");
    assert_eq!(sandbox.log(&job)?, "hello\n");
    Ok(())
}
