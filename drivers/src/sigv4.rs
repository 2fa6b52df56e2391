//! Login to Amazon Keyspaces by Signature Version 4: the client announces itself, the server sends
//! a nonce, the client signs it.
use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use aws_credential_types::Credentials;
use chrono::{DateTime, Utc};
use ring::{digest, hmac};
use scylla::authentication::{AuthError, AuthenticatorProvider, AuthenticatorSession};

use crate::credentials::Held;

const FIRST_RESPONSE: &[u8] = b"SigV4\0\0";
const NONCE_LENGTH: usize = 32;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

pub struct Authenticator {
    pub region: String,
    pub credentials: Arc<Held>,
}

#[async_trait]
impl AuthenticatorProvider for Authenticator {
    async fn start_authentication_session(
        &self,
        _: &str,
    ) -> Result<(Option<Vec<u8>>, Box<dyn AuthenticatorSession>), AuthError> {
        let exchange =
            Exchange { region: self.region.clone(), credentials: self.credentials.clone() };
        Ok((Some(FIRST_RESPONSE.to_vec()), Box::new(exchange)))
    }
}

struct Exchange {
    region: String,
    credentials: Arc<Held>,
}

#[async_trait]
impl AuthenticatorSession for Exchange {
    async fn evaluate_challenge(
        &mut self,
        challenge: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, AuthError> {
        let nonce = nonce_of(challenge.unwrap_or_default())
            .ok_or("the server's challenge holds no nonce; is it Amazon Keyspaces?")?;
        let credentials = self.credentials.current().await.map_err(|failure| failure.text)?;
        Ok(Some(answer(&self.region, &credentials, nonce, Utc::now()).into_bytes()))
    }

    async fn success(&mut self, _: Option<&[u8]>) -> Result<(), AuthError> {
        Ok(())
    }
}

/// The value of `nonce=` in a challenge.
fn nonce_of(challenge: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"nonce=";
    let begin = challenge.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let value = challenge[begin..].split(|byte| *byte == b',').next()?;
    (value.len() == NONCE_LENGTH).then_some(value)
}

/// What is sent back for a nonce.
pub fn answer(region: &str, credentials: &Credentials, nonce: &[u8], now: DateTime<Utc>) -> String {
    let key_id = credentials.access_key_id();
    let day = now.format("%Y%m%d").to_string();
    let time = now.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let scope = format!("{day}/{region}/cassandra/aws4_request");
    let request = format!(
        "PUT\n/authenticate\nX-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={key_id}%2F{}\
         &X-Amz-Date={}&X-Amz-Expires=900\nhost:cassandra\n\nhost\n{}",
        scope.replace('/', "%2F"),
        time.replace(':', "%3A"),
        hex_sha256(nonce),
    );
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex_sha256(request.as_bytes()));

    let mut key = format!("AWS4{}", credentials.secret_access_key()).into_bytes();
    for part in [&day, region, "cassandra", "aws4_request"] {
        key = sign(&key, part).as_ref().to_vec();
    }
    let signature = hex(sign(&key, &to_sign).as_ref());
    let mut answer = format!("signature={signature},access_key={key_id},amzdate={time}");
    if let Some(token) = credentials.session_token() {
        answer.push_str(",session_token=");
        answer.push_str(token);
    }
    answer
}

fn sign(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn hex_sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &[u8] = b"91703fdc2ef562e19fbdab0f58e42fe5";

    fn credentials(token: Option<&str>) -> Credentials {
        let token = token.map(str::to_owned);
        Credentials::new("UserID-1", "UserSecretKey-1", token, None, "test")
    }

    fn june_2020() -> DateTime<Utc> {
        "2020-06-09T22:41:51Z".parse().unwrap()
    }

    /// The vector that the authors of the protocol publish with their plug-ins.
    #[test]
    fn signs_as_published() {
        assert_eq!(
            answer("us-west-2", &credentials(None), NONCE, june_2020()),
            "signature=7f3691c18a81b8ce7457699effbfae5b09b4e0714ab38c1292dbdf082c9ddd87,\
             access_key=UserID-1,amzdate=2020-06-09T22:41:51.000Z"
        );
    }

    #[test]
    fn a_session_token_is_sent_and_does_not_change_the_signature() {
        let without = answer("us-west-2", &credentials(None), NONCE, june_2020());
        let with = answer("us-west-2", &credentials(Some("sess-1")), NONCE, june_2020());
        assert_eq!(with, format!("{without},session_token=sess-1"));
    }

    #[test]
    fn all_that_is_signed_changes_the_signature() {
        let signature = |region, nonce, time: &str| {
            let answer = answer(region, &credentials(None), nonce, time.parse().unwrap());
            answer.split(',').next().unwrap().to_owned()
        };
        let here = signature("us-west-2", NONCE, "2020-06-09T22:41:51Z");
        assert_ne!(here, signature("us-east-1", NONCE, "2020-06-09T22:41:51Z"));
        assert_ne!(here, signature("us-west-2", &[b'0'; 32], "2020-06-09T22:41:51Z"));
        assert_ne!(here, signature("us-west-2", NONCE, "2020-06-09T22:41:51.001Z"));
    }

    #[test]
    fn the_nonce_is_found_in_a_challenge() {
        for (challenge, want) in [
            ("nonce=91703fdc2ef562e19fbdab0f58e42fe5", Some(NONCE)),
            ("a=b,nonce=91703fdc2ef562e19fbdab0f58e42fe5,c=d", Some(NONCE)),
            ("nonce=91703fdc", None),
            ("nonce=91703fdc2ef562e19fbdab0f58e42fe51", None),
            ("nonce=", None),
            ("n=91703fdc2ef562e19fbdab0f58e42fe5", None),
            ("", None),
        ] {
            assert_eq!(nonce_of(challenge.as_bytes()), want, "{challenge}");
        }
    }
}
