//! Lists of objects.
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, Object};

use super::bridge::ffi::{GetRequest, ListedObject, ObjectFacts};
use super::failure::failure_of;
use super::ranges::{self, ObjectReader};
use super::session::Session;
use crate::failure::Failure;
use crate::threads::Threads;

impl Session {
    pub fn list(&self, bucket: &str, prefix: &str) -> Box<Listing> {
        Box::new(Listing {
            threads: self.threads.clone(),
            client: self.s3.clone(),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            state: State::First,
        })
    }

    pub fn get(&self, request: &GetRequest) -> Result<Box<ObjectReader>, Failure> {
        ranges::open(self, request).map(Box::new)
    }
}

enum State {
    First,
    After { token: String },
    End,
}

/// The objects below a prefix, page by page.
pub struct Listing {
    threads: Arc<Threads>,
    client: Client,
    bucket: String,
    prefix: String,
    state: State,
}

impl Listing {
    /// Empty after the last one.
    pub fn next_page(&mut self) -> Result<Vec<ListedObject>, Failure> {
        let threads = self.threads.clone();
        threads.block_on(async {
            while !matches!(self.state, State::End) {
                let objects = self.ask().await?;
                if !objects.is_empty() {
                    return Ok(objects);
                }
            }
            Ok(Vec::new())
        })
    }

    async fn ask(&mut self) -> Result<Vec<ListedObject>, Failure> {
        let what = format!("listing s3://{}/{}", self.bucket, self.prefix);
        let token = match &self.state {
            State::After { token } => Some(token.clone()),
            State::First | State::End => None,
        };
        let page = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&self.prefix)
            // Keys may hold characters that XML cannot.
            .encoding_type(EncodingType::Url)
            .set_continuation_token(token.clone())
            .send()
            .await
            .map_err(|error| failure_of(&what, &error))?;
        let wrong = |text: String| Failure::corrupt(format!("{what}: {text}"));
        let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
        let objects = page.contents().iter().map(|object| listed(object, is_encoded));
        let objects = objects.collect::<Result<_, _>>().map_err(wrong)?;
        self.state = state_after(&page, token.as_deref()).map_err(wrong)?;
        Ok(objects)
    }
}

fn state_after(page: &ListObjectsV2Output, token: Option<&str>) -> Result<State, String> {
    if !page.is_truncated().ok_or("the answer does not say whether it is all")? {
        return Ok(State::End);
    }
    match page.next_continuation_token() {
        Some(next) if token == Some(next) => Err("the list does not go on".to_owned()),
        Some(next) => Ok(State::After { token: next.to_owned() }),
        None => Err("the list is cut, and does not say how to go on".to_owned()),
    }
}

fn listed(object: &Object, is_encoded: bool) -> Result<ListedObject, String> {
    let key = object.key().ok_or("an object has no key")?;
    let key = match is_encoded {
        true => form_decoded(key).ok_or_else(|| format!("{key:?} is not a proper key"))?,
        false => key.to_owned(),
    };
    let bytes = object.size().and_then(|size| u64::try_from(size).ok());
    let (Some(bytes), Some(modified)) = (bytes, object.last_modified()) else {
        return Err(format!("{key:?} has no size or no time"));
    };
    let etag = object.e_tag().unwrap_or_default().to_owned();
    let facts = ObjectFacts { bytes, etag, version_id: String::new(), modified_s: modified.secs() };
    Ok(ListedObject { key, facts })
}

/// Undoes `a+b%2Fc`.
fn form_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                digits.iter().try_fold(0, |value, &digit| {
                    let digit = char::from(digit).to_digit(16)?;
                    Some(value * 16 + u8::try_from(digit).ok()?)
                })?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::form_decoded;

    #[test]
    fn keys_are_decoded_once() {
        for (text, want) in [
            ("plain/key.csv", Some("plain/key.csv")),
            ("a+b%20c%2Bd", Some("a b c+d")),
            ("caf%C3%A9%2541", Some("café%41")),
            ("%01", Some("\u{1}")),
            ("%4", None),
            ("%", None),
            ("%+1", None),
            ("%FF", None),
        ] {
            assert_eq!(form_decoded(text).as_deref(), want, "{text}");
        }
    }
}
