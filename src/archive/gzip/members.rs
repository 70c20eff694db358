//! Decompresses gzip members one after the other, on the caller's thread.
//!
//! Zeros after the last member are padding, as for gzip(1). Other data there that is no member itself is told apart from
//! a damaged member: [`ReadError::TrailingData`].

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use crate::archive::read_error::ReadError;

/// Size of the input buffer.
const BUFFER_BYTES: usize = 128 * 1024;
/// First byte of every gzip member (RFC 1952).
const MAGIC: u8 = 0x1f;

/// A reader of the decompressed bytes of all members.
pub(crate) struct MemberReader<R> {
    member: Option<GzDecoder<BufReader<R>>>,
    /// The compressed input behind a member; `None` within a member and at the end.
    between: Option<BufReader<R>>,
}

impl<R: Read> MemberReader<R> {
    /// Creates a reader of input that begins with a member.
    pub(crate) fn new(from: R) -> Self {
        Self { member: Some(GzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, from))), between: None }
    }

    /// Creates a reader of input behind a member, where another one may follow.
    pub(crate) fn following(from: R) -> Self {
        Self { member: None, between: Some(BufReader::with_capacity(BUFFER_BYTES, from)) }
    }

    /// Begins the next member. Returns `false` at the end of the input.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(mut from) = self.between.take() else { return Ok(false) };
        match from.fill_buf()?.first() {
            None => Ok(false),
            Some(&MAGIC) => {
                self.member = Some(GzDecoder::new(from));
                Ok(true)
            }
            Some(0) => skip_padding(from),
            Some(_) => Err(ReadError::TrailingData.into()),
        }
    }
}

/// Reads zeros up to the end of the input. Returns `false`: no member follows them.
fn skip_padding(mut from: impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(ReadError::TrailingData.into());
        }
        let length = bytes.len();
        from.consume(length);
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
