//! Lists of S3, and objects that are read, put and removed, by whole requests to a server on loopback.
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::bridge::ffi::{GetRequest, ListedObject, PutRequest};
use super::services_test::{SECRET, session};
use super::session::Session;
use crate::failure::{Code, Failure};
use crate::loopback::{End, Loopback, Request, Response};

const ETAG: &str = "\"e1\"";
const MODIFIED: &str = "Thu, 31 Jan 2019 06:00:00 GMT";
const MODIFIED_S: i64 = 1_548_914_400;

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

/// An object as S3 answers for it.
fn object(content: &[u8], request: &Request) -> Response {
    let wanted = request.header("if-match");
    if !wanted.is_empty() && wanted != ETAG {
        return Response::error(412, "PreconditionFailed", "At least one did not hold");
    }
    let response = match request.range() {
        None => Response::new(200, content),
        Some((first, _)) if first >= content.len() => {
            return Response::error(416, "InvalidRange", "not satisfiable");
        }
        Some((first, last)) => {
            let end = content.len().min(last + 1);
            let range = format!("bytes {first}-{}/{}", end - 1, content.len());
            Response::new(206, &content[first..end]).with("Content-Range", range)
        }
    };
    response.with("ETag", ETAG).with("Last-Modified", MODIFIED).with("x-amz-version-id", "v1")
}

/// Serves `content`, but for the answers that `other` gives.
fn serve(
    content: &[u8],
    other: impl Fn(usize, &Request) -> Option<Response> + Send + Sync + 'static,
) -> (Loopback, Session) {
    let content = content.to_vec();
    let server = Loopback::start(move |number, request| {
        other(number, request).unwrap_or_else(|| object(&content, request))
    });
    let session = session(&server);
    (server, session)
}

fn request() -> GetRequest {
    GetRequest {
        bucket: "uploads".to_owned(),
        key: "in/a.csv".to_owned(),
        version_id: String::new(),
        if_match: String::new(),
        range_bytes: 100,
        ranges_in_flight: 4,
    }
}

fn read(session: &Session, request: &GetRequest) -> Result<Vec<u8>, Failure> {
    let mut reader = session.get(request)?;
    let mut all = Vec::new();
    let mut piece = [0; 33];
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(all),
            count => all.extend(&piece[..count]),
        }
    }
}

/// What `read` says of a server that gives other answers.
fn refusal(other: impl Fn(usize, &Request) -> Option<Response> + Send + Sync + 'static) -> Failure {
    let (_server, session) = serve(&content(1000), other);
    read(&session, &request()).unwrap_err()
}

#[test]
fn an_object_of_one_range_is_one_request() {
    for bytes in [1, 99, 100] {
        let (server, session) = serve(&content(bytes), |_, _| None);
        assert_eq!(read(&session, &request()), Ok(content(bytes)));
        let seen = server.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].header("range"), "bytes=0-99");
        assert_eq!(seen[0].header("if-match"), "");
        // The bucket is in the path.
        assert!(seen[0].target.starts_with("/uploads/in/a.csv?"), "{}", seen[0].target);
    }
}

#[test]
fn the_first_answer_tells_the_facts() {
    let (_server, session) = serve(&content(250), |_, _| None);
    let reader = session.get(&request()).unwrap();
    let facts = reader.facts();
    assert_eq!((facts.bytes, facts.modified_s), (250, MODIFIED_S));
    assert_eq!((facts.etag.as_str(), facts.version_id.as_str()), (ETAG, "v1"));
}

#[test]
fn ranges_come_in_order_and_name_what_the_first_answer_was() {
    let (server, session) = serve(&content(1001), |_, _| None);
    assert_eq!(read(&session, &request()), Ok(content(1001)));
    let mut seen = server.seen();
    assert!(!seen.remove(0).target.contains("versionId"));
    let mut ranges: Vec<_> = seen.iter().map(|request| request.range().unwrap()).collect();
    ranges.sort_unstable();
    let mut want: Vec<_> = (1..10).map(|part| (part * 100, part * 100 + 99)).collect();
    want.push((1000, 1000));
    assert_eq!(ranges, want);
    for request in seen {
        assert_eq!(request.header("if-match"), ETAG);
        assert!(request.target.contains("versionId=v1"), "{}", request.target);
    }
}

#[test]
fn several_ranges_are_on_their_way_at_once() {
    // The second range is answered when the third and fourth have been asked for.
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    let (server, session) = serve(&content(1000), move |_, request| {
        let (count, changed) = &*asked;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        if request.range() == Some((100, 199)) {
            let deadline = Duration::from_secs(60);
            drop(changed.wait_timeout_while(count, deadline, |count| *count < 4).unwrap());
        }
        None
    });
    let mut reader = session.get(&request()).unwrap();
    assert_ne!(reader.read(&mut [0; 10]), Ok(0));
    // More would need more memory.
    assert!(server.seen().len() <= 4);
    let mut rest = vec![0; 1000];
    let mut read = 10;
    while read < 1000 {
        read += reader.read(&mut rest[read..]).unwrap();
    }
    assert_eq!(rest[10..], content(1000)[10..]);
    assert_eq!(reader.read(&mut rest), Ok(0));
}

#[test]
fn a_version_and_an_etag_are_asked_for() {
    let (server, session) = serve(&content(10), |_, _| None);
    let mut request = request();
    request.version_id = "v 0".to_owned();
    request.if_match = ETAG.to_owned();
    assert_eq!(read(&session, &request), Ok(content(10)));
    let seen = server.seen();
    assert!(seen[0].target.contains("versionId=v%200"), "{}", seen[0].target);
    assert_eq!(seen[0].header("if-match"), ETAG);

    request.if_match = "\"e0\"".to_owned();
    assert!(read(&session, &request).unwrap_err().text.contains("replaced"));
}

#[test]
fn keys_are_escaped_and_never_paths() {
    for (key, target) in [
        ("a b+c%41.csv", "/uploads/a%20b%2Bc%2541.csv?"),
        ("é/x?y#z", "/uploads/%C3%A9/x%3Fy%23z?"),
        ("../../etc/passwd", "/uploads/../../etc/passwd?"),
        ("/a//b/", "/uploads//a//b/?"),
    ] {
        let (server, session) = serve(&content(10), |_, _| None);
        let request = GetRequest { key: key.to_owned(), ..request() };
        assert_eq!(read(&session, &request), Ok(content(10)));
        let seen = server.seen();
        assert!(seen[0].target.starts_with(target), "{}", seen[0].target);
    }
}

#[test]
fn an_empty_object_is_read() {
    // S3 says 416; others send an empty body.
    let (server, session) = serve(&[], |_, _| None);
    assert_eq!(read(&session, &request()), Ok(vec![]));
    assert_eq!(server.seen().len(), 2);

    let (_server, session) = serve(&[], |_, _| {
        Some(Response::new(200, "").with("ETag", ETAG).with("Last-Modified", MODIFIED))
    });
    let mut reader = session.get(&request()).unwrap();
    assert_eq!(reader.facts().bytes, 0);
    assert_eq!(reader.facts().version_id, "");
    assert_eq!(reader.read(&mut [0; 10]), Ok(0));
}

#[test]
fn a_server_without_ranges_serves_short_objects_only() {
    let whole = |bytes| {
        serve(&[], move |_, _| {
            let whole = Response::new(200, content(bytes));
            Some(whole.with("ETag", ETAG).with("Last-Modified", MODIFIED))
        })
    };
    let (_server, session) = whole(100);
    assert_eq!(read(&session, &request()), Ok(content(100)));
    let (_server, session) = whole(101);
    let failure = read(&session, &request()).unwrap_err();
    assert_eq!(failure.code, Code::Corrupt, "{failure}");
    assert!(failure.text.contains("another range"), "{failure}");
}

type Spoil = Box<dyn Fn(Response) -> Response + Send + Sync>;

#[test]
fn a_body_that_ends_early_is_asked_for_again_from_there() {
    let cut = |end| move |response: Response| response.ending(end);
    let short = |mut response: Response| {
        response.body.truncate(30);
        response
    };
    let mends: [(&str, Spoil); 4] = [
        ("cut", Box::new(cut(End::Cut(30)))),
        ("stalled", Box::new(cut(End::Stall(30)))),
        ("short", Box::new(short)),
        ("cut before its first byte", Box::new(cut(End::Cut(0)))),
    ];
    for (name, spoil) in mends {
        let all = content(250);
        let (server, session) = serve(&content(250), move |_, request| {
            let range = request.range()?;
            let is_first = range == (0, 99) && request.header("if-match").is_empty();
            (is_first || range == (100, 199)).then(|| spoil(object(&all, request)))
        });
        let result = read(&session, &request());
        if name == "cut before its first byte" {
            // The second range never comes, however often it is asked for.
            let failure = result.unwrap_err();
            assert_eq!(failure.code, Code::Unavailable, "{failure}");
            assert!(failure.text.contains("at byte 100"), "{failure}");
            let asked = server.seen();
            let asked = asked.iter().filter(|request| request.range() == Some((100, 199)));
            assert_eq!(asked.count(), 4);
        } else {
            assert_eq!(result, Ok(content(250)), "{name}");
            let ranges: Vec<_> = server.seen().iter().filter_map(Request::range).collect();
            assert!(ranges.contains(&(30, 99)), "{name}: {ranges:?}");
            assert!(ranges.contains(&(130, 199)), "{name}: {ranges:?}");
        }
    }
}

#[test]
fn a_failed_read_stays_failed() {
    let (_server, session) = serve(&content(300), |_, request| {
        (request.range() == Some((100, 199))).then(|| Response::error(403, "AccessDenied", "no"))
    });
    let mut reader = session.get(&request()).unwrap();
    let mut all = [0; 300];
    let mut read = 0;
    let failure = loop {
        match reader.read(&mut all[read..]) {
            Ok(count) => read += count,
            Err(failure) => break failure,
        }
    };
    assert_eq!(read, 100);
    assert_eq!(reader.read(&mut all), Err(failure.clone()));
    assert_eq!(reader.read(&mut all), Err(failure));
}

#[test]
fn what_passes_is_tried_again() {
    let passing: [fn() -> Response; 5] = [
        || Response::error(503, "SlowDown", "Please reduce your request rate."),
        || Response::error(500, "InternalError", "We had an internal error."),
        || Response::error(400, "RequestTimeout", "idle"),
        || Response::new(503, "no XML at all"),
        || Response::new(200, "").ending(End::None),
    ];
    for answer in passing {
        // The first, and the first of the second range.
        let failed = Mutex::new(Vec::new());
        let (_server, session) = serve(&content(150), move |_, request| {
            let mut failed = failed.lock().unwrap();
            let range = request.range();
            (!failed.contains(&range)).then(|| {
                failed.push(range);
                answer()
            })
        });
        assert_eq!(read(&session, &request()), Ok(content(150)), "{:?}", answer());
    }
}

#[test]
fn tries_are_bounded() {
    let (server, session) =
        serve(&[], |_, _| Some(Response::error(503, "SlowDown", "Please reduce your rate.")));
    let failure = read(&session, &request()).unwrap_err();
    assert_eq!(failure.code, Code::Unavailable);
    assert_eq!(
        failure.text,
        "s3://uploads/in/a.csv: SlowDown: Please reduce your rate. (HTTP 503)"
    );
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn an_object_that_is_replaced_meanwhile_is_told() {
    let is_later = |request: &Request| request.range().is_some_and(|(first, _)| first >= 100);
    let answers: [fn(&Request) -> Response; 3] = [
        |_| Response::error(412, "PreconditionFailed", "At least one did not hold"),
        |_| Response::error(416, "InvalidRange", "not satisfiable"),
        |request| {
            let mut other = object(&content(1000), request);
            other.headers.retain(|(name, _)| *name != "ETag");
            other.with("ETag", "\"e2\"")
        },
    ];
    for answer in answers {
        let (server, session) =
            serve(&content(1000), move |_, request| is_later(request).then(|| answer(request)));
        let failure = read(&session, &request()).unwrap_err();
        assert_eq!(failure.code, Code::Unavailable);
        assert_eq!(
            failure.text,
            "s3://uploads/in/a.csv: the object was replaced while it was read"
        );
        // Another try would say the same: four ranges, and one behind the first.
        assert!(server.seen().len() <= 5);
    }
}

#[test]
fn answers_that_make_no_sense_are_told() {
    let without = |name: &'static str| {
        move |_: usize, request: &Request| {
            let mut response = object(&content(1000), request);
            response.headers.retain(|(known, _)| *known != name);
            Some(response)
        }
    };
    for (name, text) in [("ETag", "has no ETag"), ("Last-Modified", "no Last-Modified")] {
        let failure = refusal(without(name));
        assert_eq!(failure.code, Code::Corrupt, "{failure}");
        assert!(failure.text.contains(text), "{failure}");
    }
    for (spoilt, range) in [((0, 99), "bytes 100-199/1000"), ((100, 199), "bytes 100-199/2000")] {
        let failure = refusal(move |_, request| {
            let mut response = object(&content(1000), request);
            if request.range() == Some(spoilt) {
                response.headers.retain(|(known, _)| *known != "Content-Range");
                response.headers.push(("Content-Range", range.to_owned()));
            }
            Some(response)
        });
        assert_eq!(failure.code, Code::Corrupt, "{failure}");
        assert!(failure.text.contains("another range"), "{failure}");
    }
}

#[test]
fn what_is_not_there_or_denied_is_told_as_such() {
    for (status, code, message, want, text) in [
        (404, "NoSuchKey", "The key does not exist.", Code::NotFound, "NoSuchKey: The key does"),
        (404, "NoSuchBucket", "The bucket does not", Code::NotFound, "NoSuchBucket"),
        (404, "NoSuchVersion", "", Code::NotFound, "NoSuchVersion (HTTP 404)"),
        (403, "AccessDenied", "Access Denied", Code::Refused, "the right to s3:GetObject, and"),
        (403, "InvalidAccessKeyId", "unknown", Code::Refused, "InvalidAccessKeyId"),
        (400, "ExpiredToken", "The token has expired", Code::Refused, "ExpiredToken"),
        (405, "MethodNotAllowed", "", Code::Refused, "MethodNotAllowed"),
    ] {
        let failure = refusal(move |_, _| Some(Response::error(status, code, message)));
        assert_eq!(failure.code, want, "{failure}");
        assert!(failure.text.starts_with("s3://uploads/in/a.csv: "), "{failure}");
        assert!(failure.text.contains(text), "{failure}");
        assert!(!format!("{failure:?}").contains(SECRET), "{failure}");
    }
}

#[test]
fn a_bucket_of_another_region_is_told() {
    let failure = refusal(|_, _| {
        let moved = Response::error(301, "PermanentRedirect", "Use another endpoint.");
        Some(moved.with("x-amz-bucket-region", "us-west-2"))
    });
    assert_eq!(failure.code, Code::Refused);
    assert!(failure.text.contains("the bucket is in us-west-2"), "{failure}");
}

#[test]
fn long_texts_of_a_server_are_cut_and_made_printable() {
    let failure = refusal(|_, _| {
        Some(Response::error(403, "AccessDenied", &format!("a&#10;b{}", "é".repeat(100_000))))
    });
    assert!(failure.text.contains("a b"), "{failure}");
    assert!(failure.text.len() < 2000, "{}", failure.text.len());
}

// Lists.

fn page(keys: &[&str], encoding: &str, next: &str) -> Response {
    let objects: String = keys
        .iter()
        .map(|key| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2019-01-31T06:00:00.000Z</LastModified>\
                 <ETag>&quot;e1&quot;</ETag><Size>12</Size></Contents>"
            )
        })
        .collect();
    let next = match next {
        "" => "<IsTruncated>false</IsTruncated>".to_owned(),
        next => format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{next}</NextContinuationToken>"
        ),
    };
    let encoding = match encoding {
        "" => String::new(),
        encoding => format!("<EncodingType>{encoding}</EncodingType>"),
    };
    Response::new(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{encoding}{next}{objects}\
             </ListBucketResult>"
        ),
    )
}

fn list(
    answer: impl Fn(usize, &Request) -> Response + Send + Sync + 'static,
) -> (Loopback, Result<Vec<ListedObject>, Failure>) {
    let server = Loopback::start(answer);
    let session = session(&server);
    let mut listing = session.list("uploads", "in/");
    let mut all = Vec::new();
    let result = loop {
        match listing.next_page() {
            Ok(page) if page.is_empty() => break Ok(all),
            Ok(page) => all.extend(page),
            Err(failure) => break Err(failure),
        }
    };
    (server, result)
}

fn keys(objects: Result<Vec<ListedObject>, Failure>) -> Vec<String> {
    objects.unwrap().into_iter().map(|object| object.key).collect()
}

#[test]
fn a_list_is_read_page_by_page() {
    let (server, objects) = list(|_, request| {
        match request.target.split("continuation-token=").nth(1).map(|rest| &rest[..2]) {
            None => page(&["in/a", "in/b"], "", "t1"),
            Some("t1") => page(&[], "", "t2"),
            Some("t2") => page(&["in/c"], "", ""),
            other => panic!("{other:?}"),
        }
    });
    let objects = objects.unwrap();
    assert_eq!(objects[0].facts.bytes, 12);
    assert_eq!(objects[0].facts.etag, ETAG);
    assert_eq!(objects[0].facts.modified_s, MODIFIED_S);
    assert_eq!(keys(Ok(objects)), ["in/a", "in/b", "in/c"]);
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[0].target.starts_with("/uploads/?"), "{}", seen[0].target);
    assert!(seen.iter().all(|request| request.target.contains("prefix=in%2F")));
}

#[test]
fn an_empty_list_ends() {
    let (server, objects) = list(|_, _| page(&[], "url", ""));
    assert_eq!(objects, Ok(vec![]));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn listed_keys_are_decoded_where_they_are_encoded() {
    let (_server, objects) = list(|_, _| page(&["in/a+b%2Bc%25.csv", "in/caf%C3%A9"], "url", ""));
    assert_eq!(keys(objects), ["in/a b+c%.csv", "in/café"]);
    let (_server, objects) = list(|_, _| page(&["in/a+b%2B &amp;"], "", ""));
    assert_eq!(keys(objects), ["in/a+b%2B &"]);
    let (_server, objects) = list(|_, _| page(&["in/%FF"], "url", ""));
    assert_eq!(objects.unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_list_that_goes_in_circles_ends() {
    let (server, objects) = list(|_, _| page(&["in/a"], "", "t1"));
    let failure = objects.unwrap_err();
    assert_eq!(failure.code, Code::Corrupt);
    assert_eq!(failure.text, "listing s3://uploads/in/: the list does not go on");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_list_that_cannot_be_read_is_told() {
    for body in ["<ListBucketResult><Contents></Key>", "<ListBucketResult>", "", "{}"] {
        let (_server, objects) = list(move |_, _| Response::new(200, body));
        let failure = objects.unwrap_err();
        assert_eq!(failure.code, Code::Corrupt, "{failure}");
        assert!(failure.text.starts_with("listing s3://uploads/in/: "), "{failure}");
    }
}

#[test]
fn a_list_is_tried_again_and_its_refusal_told() {
    let (_server, objects) = list(|number, _| match number {
        0 => Response::error(503, "SlowDown", "Please reduce your request rate."),
        1 => page(&["in/b"], "", "").ending(End::Cut(100)),
        _ => page(&["in/a"], "", ""),
    });
    assert_eq!(keys(objects), ["in/a"]);

    for (status, code, want) in [
        (403, "AccessDenied", Code::Refused),
        (404, "NoSuchBucket", Code::NotFound),
        (503, "SlowDown", Code::Unavailable),
    ] {
        let (_server, objects) = list(move |_, _| Response::error(status, code, "no"));
        let failure = objects.unwrap_err();
        assert_eq!(failure.code, want);
        assert_eq!(failure.text, format!("listing s3://uploads/in/: {code}: no (HTTP {status})"));
    }
}

#[test]
fn an_object_is_put_with_the_checksum_of_what_it_is_to_hold() {
    let server = Loopback::start(|_, _| Response::new(200, ""));
    let session = session(&server);
    session.put_bytes(&put(0x1234_5678), b"123456789").unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].body.as_str()), ("PUT", "123456789"));
    assert!(seen[0].target.starts_with("/uploads/in/a.csv?"), "{}", seen[0].target);
    assert_eq!(seen[0].header("x-amz-checksum-crc32c"), "EjRWeA==");
}

#[test]
fn a_file_is_put_again_where_that_may_help() {
    let file = std::env::temp_dir().join(format!("meterline-put-{}", std::process::id()));
    std::fs::write(&file, "123456789").unwrap();
    let server = Loopback::start(|number, _| match number {
        0 => Response::error(503, "SlowDown", "Please reduce your request rate."),
        _ => Response::new(200, ""),
    });
    let put_file = || session(&server).put_file(&put(1), file.to_str().unwrap());
    put_file().unwrap();
    assert_eq!(server.seen().iter().filter(|request| request.body == "123456789").count(), 2);
    std::fs::remove_file(&file).unwrap();
    let failure = put_file().unwrap_err();
    assert_eq!(failure.code, Code::Unavailable);
    assert!(failure.text.starts_with("putting s3://uploads/in/a.csv: "), "{failure}");
}

#[test]
fn what_is_not_taken_or_removed_is_told() {
    let server = Loopback::start(|_, request| match request.method.as_str() {
        "PUT" => Response::error(400, "BadDigest", "The checksum did not match"),
        _ => Response::error(403, "AccessDenied", "no"),
    });
    let session = session(&server);
    let failure = session.put_bytes(&put(1), b"1").unwrap_err();
    assert_eq!(failure.code, Code::Refused);
    assert!(failure.text.contains("putting s3://uploads/in/a.csv: BadDigest"), "{failure}");
    let failure = session.remove_object("uploads", "in/a.csv").unwrap_err();
    assert_eq!(failure.code, Code::Refused);
    assert!(failure.text.contains("removing s3://uploads/in/a.csv: AccessDenied"), "{failure}");
}

#[test]
fn an_object_is_removed() {
    let server = Loopback::start(|_, _| Response::new(204, ""));
    session(&server).remove_object("uploads", "in/a.csv").unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].method, "DELETE");
    assert!(seen[0].target.starts_with("/uploads/in/a.csv?"), "{}", seen[0].target);
}

fn put(crc32c: u32) -> PutRequest {
    PutRequest { bucket: "uploads".to_owned(), key: "in/a.csv".to_owned(), crc32c }
}
