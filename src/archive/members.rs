//! Decompresses gzip members one after the other, and knows data after the last one from a damaged member.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

const BUFFER: usize = 128 * 1024;
/// How every gzip member begins.
const MAGIC: u8 = 0x1f;

#[derive(Debug, thiserror::Error)]
#[error("the archive is followed by data that is no part of it")]
pub(super) struct TrailingData;

impl TrailingData {
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).is_some()
    }
}

pub(super) struct Members<R> {
    /// `None` after the end.
    member: Option<GzDecoder<BufReader<R>>>,
}

impl<R: Read> Members<R> {
    pub(super) fn new(from: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::with_capacity(BUFFER, from))) }
    }

    /// Begins the next member, if there is one.
    fn advance(&mut self) -> io::Result<()> {
        let Some(member) = self.member.take() else { return Ok(()) };
        let mut from = member.into_inner();
        match from.fill_buf()?.first() {
            None => Ok(()),
            Some(&MAGIC) => {
                self.member = Some(GzDecoder::new(from));
                Ok(())
            }
            Some(_) => Err(io::Error::other(TrailingData)),
        }
    }
}

impl<R: Read> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            match member.read(buffer)? {
                0 => self.advance()?,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}
