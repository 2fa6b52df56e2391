//! The bytes of an object: ranges, several at once, delivered in order.
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::bridge::ffi::{GetRequest, ObjectFacts};
use super::failure::{failure_of, status_of};
use super::session::Session;
use crate::failure::{Code, Failure, with_sources};
use crate::retry;
use crate::threads::Threads;

type GetFailure = SdkError<GetObjectError, HttpResponse>;

/// Of the first request: the answer tells what all others have to name.
pub fn open(session: &Session, request: &GetRequest) -> Result<ObjectReader, Failure> {
    if request.range_bytes == 0 {
        return Err(Failure::invalid("ranges of an object have at least a byte"));
    }
    let target = Target {
        client: session.s3.clone(),
        name: format!("s3://{}/{}", request.bucket, request.key),
        bucket: request.bucket.clone(),
        key: request.key.clone(),
        version_id: some(&request.version_id),
        etag: some(&request.if_match),
        stall_timeout: session.limits.stall_timeout,
        retry: session.limits.range,
    };
    let (target, facts, body) =
        session.threads.block_on(first_answer(target, request.range_bytes))?;
    let mut reader = ObjectReader {
        threads: session.threads.clone(),
        target: Arc::new(target),
        facts,
        range_bytes: request.range_bytes,
        asked: 0,
        running: VecDeque::new(),
        chunk: Bytes::new(),
        failed: None,
    };
    reader.ask(Some(body));
    while reader.running.len() < request.ranges_in_flight && reader.asked < reader.facts.bytes {
        reader.ask(None);
    }
    Ok(reader)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

async fn first_answer(
    target: Target,
    range_bytes: u64,
) -> Result<(Target, ObjectFacts, ByteStream), Failure> {
    let answer = match target.send(Some(0..range_bytes)).await {
        // An empty object has no ranges.
        Err(error) if status_of(&error) == Some(416) => target.send(None).await,
        answer => answer,
    };
    let answer = answer.map_err(|error| target.failure(&error))?;
    let facts = facts_of(&answer).map_err(|text| target.corrupt(text))?;
    let target = Target {
        version_id: some(&facts.version_id).or(target.version_id),
        etag: Some(facts.etag.clone()),
        ..target
    };
    Ok((target, facts, answer.body))
}

fn facts_of(answer: &GetObjectOutput) -> Result<ObjectFacts, &'static str> {
    let bytes = match answer.content_range() {
        Some(range) => match parse_range(range) {
            Some((0, total)) => total,
            _ => return Err("the answer has another range than asked for"),
        },
        None => answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
            .ok_or("the answer has no length")?,
    };
    Ok(ObjectFacts {
        bytes,
        etag: answer.e_tag().ok_or("the answer has no ETag")?.to_owned(),
        version_id: answer.version_id().unwrap_or_default().to_owned(),
        modified_s: answer.last_modified().ok_or("the answer has no Last-Modified")?.secs(),
    })
}

/// First byte and total of `bytes 0-99/1000`.
fn parse_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()?))
}

/// What all requests for an object name.
struct Target {
    client: Client,
    name: String,
    bucket: String,
    key: String,
    version_id: Option<String>,
    etag: Option<String>,
    stall_timeout: Duration,
    retry: retry::Limits,
}

impl Target {
    async fn send(&self, range: Option<Range<u64>>) -> Result<GetObjectOutput, GetFailure> {
        let range = range.map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        self.client
            .get_object()
            .bucket(&self.bucket)
            .key(&self.key)
            .set_version_id(self.version_id.clone())
            .set_if_match(self.etag.clone())
            .set_range(range)
            .send()
            .await
    }

    fn failure(&self, error: &GetFailure) -> Failure {
        if status_of(error) == Some(412) {
            return self.replaced();
        }
        let failure = failure_of(&self.name, error);
        if failure.code == Code::Refused && status_of(error) == Some(403) {
            let right = if self.version_id.is_some() { "GetObjectVersion" } else { "GetObject" };
            return failure.with_text(|text| {
                format!(
                    "{text}; reading it needs the right to s3:{right}, and an object that is \
                         not there looks the same without the right to s3:ListBucket"
                )
            });
        }
        failure
    }

    fn replaced(&self) -> Failure {
        Failure::unavailable(format!("{}: the object was replaced while it was read", self.name))
    }

    fn corrupt(&self, text: &str) -> Failure {
        Failure::corrupt(format!("{}: {text}", self.name))
    }
}

/// One range on its way.
struct Running {
    chunks: UnboundedReceiver<Result<Bytes, Failure>>,
    left: u64,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub struct ObjectReader {
    threads: Arc<Threads>,
    target: Arc<Target>,
    facts: ObjectFacts,
    range_bytes: u64,
    /// Where the next range begins.
    asked: u64,
    /// In their order. Each holds what came of it, so their number bounds the memory.
    running: VecDeque<Running>,
    chunk: Bytes,
    failed: Option<Failure>,
}

impl ObjectReader {
    pub fn facts(&self) -> &ObjectFacts {
        &self.facts
    }

    /// 0: at the end.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        match self.next_chunk() {
            Ok(()) => {
                let count = self.chunk.len().min(into.len());
                self.chunk.copy_to_slice(&mut into[..count]);
                Ok(count)
            }
            Err(failure) => {
                self.running.clear();
                Err(self.failed.insert(failure).clone())
            }
        }
    }

    /// `chunk` is empty at the end only.
    fn next_chunk(&mut self) -> Result<(), Failure> {
        while self.chunk.is_empty() {
            let Some(front) = self.running.front_mut() else { return Ok(()) };
            match front.chunks.blocking_recv() {
                Some(chunk) => {
                    self.chunk = chunk?;
                    front.left -= self.chunk.len() as u64;
                }
                None if front.left > 0 => {
                    return Err(self.target.corrupt("a range ended before its end"));
                }
                None => {
                    self.running.pop_front();
                    if self.asked < self.facts.bytes {
                        self.ask(None);
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for the next range; `body`: it is already on its way.
    fn ask(&mut self, body: Option<ByteStream>) {
        let begin = self.asked;
        let end = self.facts.bytes.min(begin.saturating_add(self.range_bytes));
        self.asked = end;
        let (out, chunks) = unbounded_channel();
        let part = Part {
            target: self.target.clone(),
            total: self.facts.bytes,
            at: AtomicU64::new(begin),
            end,
            body: Mutex::new(body),
            out,
        };
        let task = self.threads.spawn(part.fetch());
        self.running.push_back(Running { chunks, left: end - begin, task });
    }
}

/// A range as its task sees it.
struct Part {
    target: Arc<Target>,
    total: u64,
    /// Where what has come ends.
    at: AtomicU64,
    end: u64,
    /// Of the first answer, before it is read.
    body: Mutex<Option<ByteStream>>,
    out: UnboundedSender<Result<Bytes, Failure>>,
}

impl Part {
    async fn fetch(self) {
        let done = retry::run(&self.target.retry, None, None, || self.attempt()).await;
        if let Err(failure) = done.and_then(|done| done) {
            // It fails when nobody reads any more.
            let _ = self.out.send(Err(failure));
        }
    }

    /// Goes on from where the last attempt ended. The inner failure is one that another attempt
    /// does not mend, although opening the object anew may.
    async fn attempt(&self) -> Result<Result<(), Failure>, Failure> {
        let begun = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let body = match begun {
            Some(body) => body,
            None if self.at.load(Relaxed) == self.end => return Ok(Ok(())),
            None => match self.ask().await? {
                Ok(body) => body,
                Err(failure) => return Ok(Err(failure)),
            },
        };
        self.pour(body).await.map(Ok)
    }

    async fn ask(&self) -> Result<Result<ByteStream, Failure>, Failure> {
        let target = &self.target;
        let at = self.at.load(Relaxed);
        let answer = match target.send(Some(at..self.end)).await {
            Ok(answer) => answer,
            Err(error) => match status_of(&error) {
                // It is shorter now, for servers that look at the range first.
                Some(412 | 416) => return Ok(Err(target.replaced())),
                _ => return Err(target.failure(&error)),
            },
        };
        if answer.e_tag() != target.etag.as_deref() {
            return Ok(Err(target.replaced()));
        }
        if answer.content_range().and_then(parse_range) != Some((at, self.total)) {
            return Err(target.corrupt("the answer has another range than asked for"));
        }
        Ok(Ok(answer.body))
    }

    async fn pour(&self, mut body: ByteStream) -> Result<(), Failure> {
        let name = &self.target.name;
        let patience = self.target.stall_timeout;
        loop {
            let at = self.at.load(Relaxed);
            if at == self.end {
                return Ok(());
            }
            let mut chunk = match timeout(patience, body.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(error))) => {
                    let text = with_sources(&error);
                    return Err(Failure::unavailable(format!("{name}: at byte {at}: {text}")));
                }
                Ok(None) => {
                    return Err(Failure::unavailable(format!("{name}: cut at byte {at}")));
                }
                Err(_) => {
                    let seconds = patience.as_secs_f32();
                    return Err(Failure::unavailable(format!(
                        "{name}: nothing came for {seconds} s at byte {at}"
                    )));
                }
            };
            // A server may send more than it was asked for.
            chunk.truncate(usize::try_from(self.end - at).unwrap_or(usize::MAX));
            self.at.store(at + chunk.len() as u64, Relaxed);
            if self.out.send(Ok(chunk)).is_err() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges_are_parsed() {
        for (text, want) in [
            ("bytes 0-99/1000", Some((0, 1000))),
            ("bytes 100-100/101", Some((100, 101))),
            ("bytes 0-99/*", None),
            ("bytes */1000", None),
            ("0-99/1000", None),
            ("bytes 0-99", None),
            ("bytes -1-99/18446744073709551616", None),
        ] {
            assert_eq!(parse_range(text), want, "{text}");
        }
    }
}
