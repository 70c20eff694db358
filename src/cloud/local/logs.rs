//! Log streams on this computer: a job's log files, as pages with tokens.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::cloud::{CloudError, CloudResult, EventsPage, EventsQuery, JobEventsPage, LogStream, Logs};
use crate::local::log::file::{Events, LogReader, MAX_PAGE_EVENTS};
use crate::local::log::note::LogNote;
use crate::local::store::layout::Home;
use crate::model::JobName;

/// Implements [`Logs`] over the jobs' log files.
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

    /// Returns the note that the stream is incomplete, if it has one.
    fn note(&self, stream: &LogStream) -> CloudResult<Option<LogNote>> {
        let Some((job, node)) = stream.name.split_once('/') else { return Ok(None) };
        let Ok(job) = JobName::new(job) else { return Ok(None) };
        Ok(self.read_note(&job)?.filter(|note| note.stream == node))
    }

    fn read_note(&self, job: &JobName) -> CloudResult<Option<LogNote>> {
        let folder = self.home.job(job);
        folder.read_log_note().map_err(CloudError::io(format!("read {}", folder.log_note().display())))
    }
}

#[async_trait]
impl Logs for LocalLogs {
    async fn streams(&self, job: &JobName) -> CloudResult<Vec<LogStream>> {
        let folder = self.home.job(job).log();
        let stream = |name: &OsStr| LogStream { name: format!("{job}/{}", name.to_string_lossy()).into() };
        let list = || match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(stream(&entry?.file_name()))).collect::<io::Result<Vec<_>>>(),
        };
        let mut streams = list().map_err(CloudError::io(format!("list {}", folder.display())))?;
        // One that was removed is read as its note.
        let read_note = self.read_note(job)?.map(|note| stream(note.stream.as_ref()));
        streams.extend(read_note);
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        streams.dedup();
        Ok(streams)
    }

    /// Unsupported: a local job has one node.
    async fn job_events(&self, _job: &JobName, _query: &EventsQuery) -> CloudResult<JobEventsPage> {
        let hint = "read its stream".to_owned();
        Err(CloudError::Unusable { what: "a local job's log is one stream".to_owned(), hint })
    }

    async fn end(&self, stream: &LogStream) -> CloudResult<Option<String>> {
        let file = self.file(stream)?;
        match LogReader::open(&file).and_then(|mut log| log.whole_len()) {
            Ok(end) => Ok(Some(PageToken::Forward(end).to_text())),
            // One that was removed is read as its note.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CloudError::io(format!("read {}", file.display()))(error)),
        }
    }

    async fn events(&self, stream: &LogStream, query: &EventsQuery) -> CloudResult<EventsPage> {
        let file = self.file(stream)?;
        let parse = |token: &Option<String>| {
            let parsed = token.as_deref().map(PageToken::parse).transpose();
            parsed.map_err(CloudError::io(format!("read {}", file.display())))
        };
        let token = parse(&query.token)?;
        let up_to = parse(&query.up_to)?;
        let note = self.note(stream)?;
        let mut page = match read(&file, query, token, up_to) {
            // The file was removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match note {
                Some(_) => Events { events: Vec::new(), start: 0, end: 0 },
                None => return Err(CloudError::NotFound(format!("log stream {}", stream.name))),
            },
            page => page.map_err(CloudError::io(format!("read {}", file.display())))?,
        };
        let note = note.filter(|note| note_follows(note, &page, query, token));
        let is_noted = note.is_some() || matches!(token, Some(PageToken::AfterNote(_)));
        page.events.extend(note.map(|note| note.event()));
        let forward = if is_noted { PageToken::AfterNote(page.end) } else { PageToken::Forward(page.end) };
        Ok(EventsPage {
            events: page.events,
            next_forward_token: forward.to_text(),
            next_backward_token: PageToken::Backward(page.start).to_text(),
        })
    }
}

/// Returns whether a note belongs at the end of a page: after all events, once.
fn note_follows(note: &LogNote, page: &Events, query: &EventsQuery, token: Option<PageToken>) -> bool {
    let at = note.event().timestamp;
    let is_wanted = query.start.is_none_or(|start| at >= start) && query.end.is_none_or(|end| at < end);
    let is_end = match token {
        Some(PageToken::Forward(_)) => page.events.is_empty(),
        Some(PageToken::Backward(_) | PageToken::AfterNote(_)) => false,
        None => page.events.is_empty() || !query.from_head,
    };
    is_wanted && is_end
}

fn read(
    file: &std::path::Path,
    query: &EventsQuery,
    token: Option<PageToken>,
    up_to: Option<PageToken>,
) -> io::Result<Events> {
    let mut log = LogReader::open(file)?;
    let now = log.whole_len()?;
    let whole = up_to.map_or(now, |end| now.min(end.at()));
    let to = query.end.map_or(Ok(whole), |end| log.first_since(end, whole))?;
    let from = query.start.map_or(Ok(0), |start| log.first_since(start, whole))?;
    let limit = query.limit.unwrap_or(MAX_PAGE_EVENTS).min(MAX_PAGE_EVENTS);
    match token {
        Some(PageToken::Forward(at) | PageToken::AfterNote(at)) => log.forwards(at, to.max(at), limit),
        Some(PageToken::Backward(at)) => log.backwards(from.min(at), at, limit),
        None if query.from_head => log.forwards(from, to.max(from), limit),
        None => log.backwards(from.min(to), to, limit),
    }
}

/// Position between two lines and a direction: `f/1234` forwards, `b/1234` backwards, `n/1234` forwards after the note.
#[derive(Clone, Copy, Debug)]
enum PageToken {
    Forward(u64),
    Backward(u64),
    AfterNote(u64),
}

impl PageToken {
    fn at(self) -> u64 {
        let (Self::Forward(at) | Self::Backward(at) | Self::AfterNote(at)) = self;
        at
    }

    fn to_text(self) -> String {
        match self {
            Self::Forward(at) => format!("f/{at}"),
            Self::Backward(at) => format!("b/{at}"),
            Self::AfterNote(at) => format!("n/{at}"),
        }
    }

    fn parse(text: &str) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, format!("{text:?} is not a token"));
        let (direction, at) = text.split_once('/').ok_or_else(invalid)?;
        let at = at.parse().map_err(|_| invalid())?;
        match direction {
            "f" => Ok(Self::Forward(at)),
            "b" => Ok(Self::Backward(at)),
            "n" => Ok(Self::AfterNote(at)),
            _ => Err(invalid()),
        }
    }
}
