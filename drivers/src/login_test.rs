//! Logins and certificates, by whole connections to a listener on loopback that speaks the CQL
//! handshake, and nothing after it.
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_config::ConfigLoader;
use aws_credential_types::Credentials;
use aws_types::os_shim_internal::{Env, Fs};
use chrono::{DateTime, Utc};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::credentials::{self, Held};
use crate::failure::{Code, Failure};
use crate::ffi::Options;
use crate::{session, sigv4};

const NONCE: &str = "91703fdc2ef562e19fbdab0f58e42fe5";

/// What the listener wants to see.
enum Login {
    None,
    Password(&'static str),
    /// A signature by one of these.
    Signature(Mutex<Vec<Credentials>>),
}

struct Node {
    login: Login,
    tls: Option<Arc<rustls::ServerConfig>>,
    /// Access keys of those who logged in.
    seen: Mutex<Vec<String>>,
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Node {
    /// Listens until the tests end; returns the port.
    fn start(login: Login, tls: Option<rustls::ServerConfig>) -> (Arc<Node>, u16) {
        let node = Arc::new(Node { login, tls: tls.map(Arc::new), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = node.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let node = shared.clone();
                thread::spawn(move || node.serve(stream));
            }
        });
        (node, port)
    }

    /// Ends at any error: the client went away.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut stream: Box<dyn Stream> = match &self.tls {
            Some(config) => {
                let server = rustls::ServerConnection::new(config.clone()).ok()?;
                Box::new(rustls::StreamOwned::new(server, stream))
            }
            None => Box::new(stream),
        };
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).ok()?;
            if head[0] != 4 {
                stream.write_all(b"\x84\0\0\0\0 not version 4").ok()?;
                return None;
            }
            let length = u32::from_be_bytes(head[5..].try_into().ok()?);
            let mut body = vec![0; length as usize];
            stream.read_exact(&mut body).ok()?;
            let (opcode, body) = self.answer(head[4], &body);
            let length = u32::try_from(body.len()).ok()?.to_be_bytes();
            let mut frame = vec![0x84, 0, head[2], head[3], opcode];
            frame.extend(length);
            frame.extend(body);
            stream.write_all(&frame).ok()?;
            stream.flush().ok()?;
        }
    }

    /// The opcode and body that answer a request.
    fn answer(&self, opcode: u8, body: &[u8]) -> (u8, Vec<u8>) {
        const OPTIONS: u8 = 5;
        const STARTUP: u8 = 1;
        const AUTH_RESPONSE: u8 = 0x0f;
        const REGISTER: u8 = 0x0b;
        const READY: u8 = 2;
        match (opcode, &self.login) {
            (OPTIONS, _) => (6, vec![0, 0]),
            (STARTUP, Login::None) | (REGISTER, _) => (READY, vec![]),
            (STARTUP, _) => (3, string("an.Authenticator")),
            (AUTH_RESPONSE, login) => self.log_in(login, &body[4..]),
            _ => error(0, "this node knows the handshake only"),
        }
    }

    fn log_in(&self, login: &Login, token: &[u8]) -> (u8, Vec<u8>) {
        const CHALLENGE: u8 = 0x0e;
        const SUCCESS: u8 = 0x10;
        let success = (SUCCESS, vec![0xff; 4]);
        match login {
            Login::Password(wanted)
                if token.split(|byte| *byte == 0).nth(2) == Some(wanted.as_bytes()) =>
            {
                success
            }
            Login::Signature(_) if token == b"SigV4\0\0" => {
                let challenge = format!("nonce={NONCE}");
                let length = u32::try_from(challenge.len()).unwrap().to_be_bytes();
                (CHALLENGE, [&length, challenge.as_bytes()].concat())
            }
            Login::Signature(accepted) if self.is_signed(&accepted.lock().unwrap(), token) => {
                success
            }
            _ => error(0x0100, "Provided username and/or password are incorrect"),
        }
    }

    fn is_signed(&self, accepted: &[Credentials], token: &[u8]) -> bool {
        let token = String::from_utf8_lossy(token);
        let field = |name: &str| {
            token.split(',').find_map(|field| field.strip_prefix(name)).unwrap_or_default()
        };
        let Ok(time) = field("amzdate=").parse::<DateTime<Utc>>() else { return false };
        let key = field("access_key=");
        self.seen.lock().unwrap().push(key.to_owned());
        let known = accepted.iter().find(|known| known.access_key_id() == key);
        known
            .is_some_and(|known| sigv4::answer("eu-west-1", known, NONCE.as_bytes(), time) == token)
    }
}

fn string(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&length, text.as_bytes()].concat()
}

fn error(code: u32, text: &str) -> (u8, Vec<u8>) {
    (0, [code.to_be_bytes().to_vec(), string(text)].concat())
}

fn options(port: u16) -> Options {
    Options {
        nodes: vec![format!("127.0.0.1:{port}")],
        port: 9042,
        data_centre: String::new(),
        user: String::new(),
        password: String::new(),
        aws_region: String::new(),
        tls: false,
        tls_ca_file: String::new(),
        tls_server_name: String::new(),
        connections_per_node: 1,
        writes_per_connection: 0,
        connect_timeout_ms: 60_000,
        keepalive_interval_ms: 2000,
        keepalive_timeout_ms: 4000,
        tries_max: 3,
        first_wait_ms: 1,
        longest_wait_ms: 1,
        try_timeout_ms: 10_000,
        deadline_ms: 10_000,
        latency_bounds_us: vec![],
    }
}

fn connect(options: &Options, sources: ConfigLoader) -> Result<(), Failure> {
    session::connect_by(options, sources).map(drop)
}

#[test]
fn a_password_is_sent() {
    let (_, port) = Node::start(Login::Password("right"), None);
    let login = |password: &str| {
        let mut options = options(port);
        options.user = "reader".to_owned();
        options.password = password.to_owned();
        connect(&options, credentials::sources())
    };
    assert_eq!(login("right"), Ok(()));

    let failure = login("wr0ng-secret").unwrap_err();
    assert_eq!(failure.code, Code::Invalid);
    assert!(failure.text.contains("password are incorrect"), "{failure}");
    assert!(!failure.text.contains("wr0ng-secret"), "{failure}");
    assert!(!format!("{failure:?}").contains("wr0ng-secret"));
}

#[test]
fn a_login_that_is_wanted_and_not_given_is_told() {
    let (_, port) = Node::start(Login::Password("right"), None);
    let failure = connect(&options(port), credentials::sources()).unwrap_err();
    assert_eq!(failure.code, Code::Invalid);
    assert!(failure.text.contains("no user is given"), "{failure}");
}

// SigV4, with credentials from each source.

/// Only what the test says: no variable, file or service of the machine.
pub fn sources(variables: &[(&str, &str)], files: &[(&str, &str)]) -> ConfigLoader {
    let mut all = vec![("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/home/tester")];
    all.extend(variables);
    credentials::sources().env(Env::from_slice(&all)).fs(Fs::from_slice(files))
}

pub fn known(key: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(key, secret, token.map(str::to_owned), None, "test")
}

/// Logs in at a node that accepts `accepted`; the access keys that it saw.
pub fn log_in(accepted: Vec<Credentials>, sources: ConfigLoader) -> Result<Vec<String>, Failure> {
    let (node, port) = Node::start(Login::Signature(Mutex::new(accepted)), None);
    let mut options = options(port);
    options.aws_region = "eu-west-1".to_owned();
    connect(&options, sources)?;
    let seen = node.seen.lock().unwrap().clone();
    Ok(seen)
}

#[test]
fn credentials_come_from_the_environment() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "KEY-E"),
        ("AWS_SECRET_ACCESS_KEY", "secret-e"),
        ("AWS_SESSION_TOKEN", "token-e"),
    ];
    let accepted = known("KEY-E", "secret-e", Some("token-e"));
    let seen = log_in(vec![accepted], sources(&variables, &[])).unwrap();
    assert_eq!(seen.first().map(String::as_str), Some("KEY-E"));
}

#[test]
fn a_wrong_secret_is_refused_and_not_shown() {
    let variables = [("AWS_ACCESS_KEY_ID", "KEY-E"), ("AWS_SECRET_ACCESS_KEY", "wr0ng-secret")];
    let accepted = known("KEY-E", "secret-e", None);
    let failure = log_in(vec![accepted], sources(&variables, &[])).unwrap_err();
    assert_eq!(failure.code, Code::Invalid, "{failure}");
    assert!(!failure.text.contains("wr0ng-secret"), "{failure}");
}

#[test]
fn credentials_come_from_a_profile() {
    let file = "[default]\naws_access_key_id = OTHER\naws_secret_access_key = other\n\
                [work]\naws_access_key_id = KEY-P\naws_secret_access_key = secret-p\n";
    let files = [("/home/tester/.aws/credentials", file)];
    let accepted = vec![known("KEY-P", "secret-p", None)];
    let seen = log_in(accepted, sources(&[("AWS_PROFILE", "work")], &files)).unwrap();
    assert_eq!(seen.first().map(String::as_str), Some("KEY-P"));
}

#[test]
fn no_credentials_are_told_as_such() {
    let failure = log_in(vec![], sources(&[], &[])).unwrap_err();
    assert_eq!(failure.code, Code::Invalid, "{failure}");
    assert!(failure.text.contains("AWS credentials"), "{failure}");
}

/// The endpoint of a container's role: each answer has a new key, KEY-1, KEY-2, ...
struct Container {
    uri: String,
    answers: Arc<AtomicU32>,
}

impl Container {
    fn start(lifetime: Duration) -> Container {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/role", listener.local_addr().unwrap());
        let answers = Arc::new(AtomicU32::new(0));
        let counter = answers.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let expiry = DateTime::<Utc>::from(SystemTime::now() + lifetime);
                Container::answer(stream, &counter, &expiry.format("%FT%TZ").to_string());
            }
        });
        Container { uri, answers }
    }

    /// One request of a connection.
    fn answer(mut stream: TcpStream, counter: &AtomicU32, expiry: &str) -> Option<()> {
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
        while !lines.next()?.ok()?.is_empty() {}
        let number = counter.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!(
            r#"{{"AccessKeyId":"KEY-{number}","SecretAccessKey":"secret-{number}","Token":"token-{number}","Expiration":"{expiry}"}}"#
        );
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .ok()
    }

    fn sources(&self) -> ConfigLoader {
        sources(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &self.uri)], &[])
    }
}

#[test]
fn credentials_come_from_a_container() {
    let container = Container::start(Duration::from_secs(3600));
    let accepted = vec![known("KEY-1", "secret-1", Some("token-1"))];
    let seen = log_in(accepted, container.sources()).unwrap();
    assert_eq!(seen.first().map(String::as_str), Some("KEY-1"));
    assert_eq!(container.answers.load(Ordering::Relaxed), 1);
}

#[test]
fn credentials_about_to_expire_are_renewed_for_the_next_connection() {
    let container = Container::start(Duration::from_secs(60));
    let accepted = (1..100).map(|number| {
        known(
            &format!("KEY-{number}"),
            &format!("secret-{number}"),
            Some(&format!("token-{number}")),
        )
    });
    let seen = log_in(accepted.collect(), container.sources()).unwrap();
    assert_eq!(seen.first().map(String::as_str), Some("KEY-2"));
}

#[tokio::test]
async fn credentials_are_kept_until_they_are_about_to_expire() {
    for (lifetime, want) in [(3600, ["KEY-1", "KEY-1"]), (299, ["KEY-1", "KEY-2"])] {
        let container = Container::start(Duration::from_secs(lifetime));
        let held = Held::from(container.sources(), "eu-west-1").await.unwrap();
        for key in want {
            assert_eq!(held.current().await.unwrap().access_key_id(), key);
        }
    }
}

// Certificates.

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, params: &CertificateParams) -> rustls::ServerConfig {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        server_config(certificate.der(), &key)
    }

    fn file(&self) -> PemFile {
        PemFile::new(&self.0.pem())
    }
}

fn server_config(certificate: &CertificateDer<'static>, key: &KeyPair) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap()
}

/// For these names and addresses, valid today.
fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "A node");
    params
}

struct PemFile(PathBuf);

impl PemFile {
    fn new(text: &str) -> PemFile {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("meterline-test-{}-{number}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        PemFile(path)
    }
}

impl Drop for PemFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Connects to a node with this certificate, believing `file` and wanting `server_name`.
fn handshake(
    tls: rustls::ServerConfig,
    host: &str,
    file: &PemFile,
    server_name: &str,
) -> Result<(), Failure> {
    let (_, port) = Node::start(Login::None, Some(tls));
    let mut options = options(port);
    options.nodes = vec![format!("{host}:{port}")];
    options.tls = true;
    options.tls_ca_file = file.0.to_str().unwrap().to_owned();
    options.tls_server_name = server_name.to_owned();
    connect(&options, credentials::sources())
}

#[test]
fn the_name_in_a_certificate_is_verified() {
    let authority = Authority::new("ours");
    let file = authority.file();
    for (names, host, server_name, refused) in [
        (&["127.0.0.1"][..], "127.0.0.1", "", None),
        (&["node.test", "127.0.0.1"], "127.0.0.1", "", None),
        (&["localhost"], "localhost", "", None),
        (&["node.test"], "127.0.0.1", "node.test", None),
        (&["127.0.0.2"], "127.0.0.1", "", Some("it is not for 127.0.0.1; its names: 127.0.0.2")),
        (&["localhost"], "127.0.0.1", "", Some("it is not for 127.0.0.1")),
        (&["node.test"], "localhost", "", Some("it is not for 127.0.0.1 or localhost")),
        (&["127.0.0.1"], "127.0.0.1", "node.test", Some("it is not for node.test")),
        (&["other.test"], "127.0.0.1", "node.test", Some("for node.test; its names: other.test")),
    ] {
        let result = handshake(authority.issue(&leaf(names)), host, &file, server_name);
        check(&result, refused);
    }
}

#[test]
fn the_validity_of_a_certificate_is_verified() {
    let authority = Authority::new("ours");
    let file = authority.file();
    for ((begin, end), refused) in [
        ((2020, 2100), None),
        ((2020, 2021), Some("it has expired")),
        ((2090, 2100), Some("it is not valid yet")),
    ] {
        let mut params = leaf(&["127.0.0.1"]);
        params.not_before = rcgen::date_time_ymd(begin, 1, 1);
        params.not_after = rcgen::date_time_ymd(end, 1, 1);
        check(&handshake(authority.issue(&params), "127.0.0.1", &file, ""), refused);
    }
}

#[test]
fn the_issuer_of_a_certificate_is_verified() {
    let file = Authority::new("ours").file();
    for (name, reason) in [
        ("another", "no known CA has issued it"),
        ("ours", "the known CA of that name has not issued it"),
    ] {
        for server_name in ["", "127.0.0.1"] {
            let tls = Authority::new(name).issue(&leaf(&["127.0.0.1"]));
            check(&handshake(tls, "127.0.0.1", &file, server_name), Some(reason));
        }
    }
}

#[test]
fn a_self_signed_certificate_has_to_be_in_the_ca_file() {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf(&["127.0.0.1"]).self_signed(&key).unwrap();
    let tls = || server_config(certificate.der(), &key);
    let file = PemFile::new(&certificate.pem());
    check(&handshake(tls(), "127.0.0.1", &file, ""), None);
    let file = Authority::new("ours").file();
    check(&handshake(tls(), "127.0.0.1", &file, ""), Some("it is self-signed"));
}

#[test]
fn the_certificate_of_a_ca_is_not_that_of_a_node() {
    let mut params = leaf(&["127.0.0.1"]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = PemFile::new(&certificate.pem());
    let result = handshake(server_config(certificate.der(), &key), "127.0.0.1", &file, "");
    check(&result, Some("it is that of a CA"));
}

/// A success, or a refusal for good that names the node and the reason.
fn check(result: &Result<(), Failure>, refused: Option<&str>) {
    match (result, refused) {
        (Ok(()), None) => (),
        (Err(failure), Some(reason)) => {
            assert_eq!(failure.code, Code::Invalid, "{failure}");
            assert!(failure.text.contains("certificate of node 127.0.0.1"), "{failure}");
            assert!(failure.text.contains(reason), "{failure}");
        }
        _ => panic!("{result:?}, wanted {refused:?}"),
    }
}

#[test]
fn a_node_without_tls_is_told() {
    let (_, port) = Node::start(Login::None, None);
    let file = Authority::new("ours").file();
    let mut options = options(port);
    options.tls = true;
    options.tls_ca_file = file.0.to_str().unwrap().to_owned();
    let failure = connect(&options, credentials::sources()).unwrap_err();
    assert_eq!(failure.code, Code::Invalid, "{failure}");
    assert!(failure.text.contains("does not speak TLS"), "{failure}");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_told() {
    let empty = PemFile::new("no certificate\n");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = PemFile::new(broken);
    for path in ["/nonexistent/ca.pem", empty.0.to_str().unwrap(), broken.0.to_str().unwrap()] {
        let mut options = options(1);
        options.tls = true;
        options.tls_ca_file = path.to_owned();
        let failure = connect(&options, credentials::sources()).unwrap_err();
        assert_eq!(failure.code, Code::Invalid);
        assert!(failure.text.contains(path), "{failure}");
    }
}
