//! Decompresses gzip members one after the other, and knows data after the last one from a damaged member.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

const BUFFER: usize = 128 * 1024;
/// How every gzip member begins.
const MAGIC: u8 = 0x1f;

#[derive(Debug, thiserror::Error)]
#[error("the archive is followed by data that is no part of it")]
pub(crate) struct TrailingData;

impl TrailingData {
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

pub(crate) struct MemberReader<R> {
    member: Option<GzDecoder<BufReader<R>>>,
    /// What follows a member; none at the end, too.
    between: Option<BufReader<R>>,
}

impl<R: Read> MemberReader<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::with_capacity(BUFFER, from))), between: None }
    }

    /// Behind a member, where another one may follow.
    pub(crate) fn following(from: R) -> Self {
        Self { member: None, between: Some(BufReader::with_capacity(BUFFER, from)) }
    }

    /// Begins the next member. False if there is none.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(mut from) = self.between.take() else { return Ok(false) };
        match from.fill_buf()?.first() {
            None => Ok(false),
            Some(&MAGIC) => {
                self.member = Some(GzDecoder::new(from));
                Ok(true)
            }
            Some(_) => Err(io::Error::other(TrailingData)),
        }
    }
}

impl<R: Read> Read for MemberReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(member) = &mut self.member {
                match member.read(buffer)? {
                    0 => self.between = self.member.take().map(GzDecoder::into_inner),
                    count => return Ok(count),
                }
            } else if !self.advance()? {
                return Ok(0);
            }
        }
    }
}
