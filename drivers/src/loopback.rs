//! An HTTP server for tests, on loopback, that answers as a test tells it and remembers what it was
//! asked.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// Empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// First and last byte of `bytes=0-99`.
    pub fn range(&self) -> Option<(usize, usize)> {
        let (first, last) = self.header("range").strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    }
}

/// How an answer ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Whole,
    /// After so many bytes of the body the connection is closed.
    Cut(usize),
    /// After so many bytes of the body nothing comes any more.
    Stall(usize),
    /// Closed without an answer.
    None,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub end: End,
}

impl Response {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Response { status, headers: Vec::new(), body: body.into(), end: End::Whole }
    }

    /// As S3 tells errors.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>{message}</Message><RequestId>R1</RequestId></Error>"
        );
        Response::new(status, body).with("Content-Type", "application/xml")
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn ending(self, end: End) -> Self {
        Response { end, ..self }
    }

    /// Whether the connection may be used again.
    fn write(&self, stream: &mut TcpStream) -> std::io::Result<bool> {
        let mut head = format!("HTTP/1.1 {} x\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let sent = match self.end {
            End::None => return Ok(false),
            End::Whole => &self.body,
            End::Cut(bytes) | End::Stall(bytes) => &self.body[..bytes],
        };
        stream.write_all(&[head.as_bytes(), sent].concat())?;
        if let End::Stall(_) = self.end {
            // Until the other side goes away.
            stream.read_to_end(&mut Vec::new())?;
        }
        Ok(matches!(self.end, End::Whole))
    }
}

pub struct Loopback {
    pub endpoint: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Loopback {
    /// Listens until the tests end. `answer` also gets the number of the request, from 0.
    pub fn start(answer: impl Fn(usize, &Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::default());
        let (answer, shared) = (Arc::new(answer), seen.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (answer.clone(), shared.clone());
                thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Loopback { endpoint, seen }
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// Ends at any error: the client went away.
fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(usize, &Request) -> Response,
    seen: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut input = BufReader::new(stream.try_clone().ok()?);
    loop {
        let request = read_request(&mut input)?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        if !answer(number, &request).write(&mut stream).ok()? {
            return None;
        }
    }
}

fn read_request(input: &mut impl BufRead) -> Option<Request> {
    let mut lines = input.by_ref().lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = lines.next()?.ok()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, target, headers, body: String::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    input.take(length).read_to_string(&mut request.body).ok()?;
    Some(request)
}
