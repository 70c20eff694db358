//! CloudWatch Logs on this computer: the log files of a job, as pages with tokens.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;

use super::home::Home;
use super::log::{Events, LogReader, PAGE_EVENTS};
use crate::cloud::{CloudError, CloudResult, EventsPage, EventsQuery, JobEventsPage, LogStream, Logs};
use crate::model::JobName;

#[derive(Debug)]
pub(crate) struct LocalLogs {
    home: Home,
}

impl LocalLogs {
    pub(crate) fn new(home: Home) -> Self {
        Self { home }
    }

    fn file(&self, stream: &LogStream) -> CloudResult<PathBuf> {
        let unknown = || CloudError::NotFound(format!("log stream {}", stream.name));
        let (job, node) = stream.name.split_once('/').ok_or_else(unknown)?;
        let job = JobName::new(job).map_err(|_| unknown())?;
        Ok(self.home.job(&job).log().join(node))
    }
}

#[async_trait]
impl Logs for LocalLogs {
    async fn streams(&self, job: &JobName) -> CloudResult<Vec<LogStream>> {
        let folder = self.home.job(job).log();
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CloudError::io(format!("list {}", folder.display())))?,
        };
        let stream = |name: &OsStr| LogStream { name: format!("{job}/{}", name.to_string_lossy()).into() };
        let streams = entries.map(|entry| Ok(stream(&entry?.file_name()))).collect::<io::Result<Vec<_>>>();
        let mut streams = streams.map_err(CloudError::io(format!("list {}", folder.display())))?;
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(streams)
    }

    /// A local job has one node.
    async fn job_events(&self, _job: &JobName, _query: &EventsQuery) -> CloudResult<JobEventsPage> {
        let hint = "read its stream".to_owned();
        Err(CloudError::Unusable { what: "a local job's log is one stream".to_owned(), hint })
    }

    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage> {
        let file = self.file(stream)?;
        let run = read(&file, query).map_err(CloudError::io(format!("read {}", file.display())))?;
        Ok(EventsPage {
            events: run.events,
            next_forward_token: Token::Forward(run.end).to_text(),
            next_backward_token: Token::Backward(run.start).to_text(),
        })
    }
}

fn read(file: &std::path::Path, query: &EventsQuery) -> io::Result<Events> {
    let mut log = LogReader::open(file)?;
    let whole = log.whole_len()?;
    let to = query.end.map_or(Ok(whole), |end| log.first_since(end, whole))?;
    let from = query.start.map_or(Ok(0), |start| log.first_since(start, whole))?;
    let limit = query.limit.unwrap_or(PAGE_EVENTS).min(PAGE_EVENTS);
    match query.token.as_deref().map(Token::parse).transpose()? {
        Some(Token::Forward(at)) => log.forwards(at, to.max(at), limit),
        Some(Token::Backward(at)) => log.backwards(from.min(at), at, limit),
        None if query.from_head => log.forwards(from, to.max(from), limit),
        None => log.backwards(from.min(to), to, limit),
    }
}

/// A place between two lines, and the direction that reading goes on in: `f/1234`, `b/1234`.
#[derive(Clone, Copy, Debug)]
enum Token {
    Forward(u64),
    Backward(u64),
}

impl Token {
    fn to_text(self) -> String {
        match self {
            Self::Forward(at) => format!("f/{at}"),
            Self::Backward(at) => format!("b/{at}"),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, format!("{text:?} is not a token"));
        let (direction, at) = text.split_once('/').ok_or_else(invalid)?;
        let at = at.parse().map_err(|_| invalid())?;
        match direction {
            "f" => Ok(Self::Forward(at)),
            "b" => Ok(Self::Backward(at)),
            _ => Err(invalid()),
        }
    }
}
