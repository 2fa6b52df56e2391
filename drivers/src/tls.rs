//! Certificates: the chain is always verified, and the name.
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::failure::Failure;
use crate::ffi::Options;
use crate::nodes;

/// What is wrong with a node's certificate, in words.
#[derive(Debug)]
pub struct BadCertificate(String);

impl fmt::Display for BadCertificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for BadCertificate {}

/// For connections to nodes, of which those in `addresses` may be known by name.
pub async fn context(
    options: &Options,
    addresses: &[String],
) -> Result<Arc<ClientConfig>, Failure> {
    let names = match options.tls_server_name.as_str() {
        "" => Names::Own(own_names(addresses).await),
        name => Names::Fixed(ServerName::try_from(name.to_owned()).map_err(|_| {
            Failure::invalid(format!("{name} is no name that a certificate can bear"))
        })?),
    };
    client_config(roots(&options.tls_ca_file)?, names)
}

/// Which name a certificate has to bear.
#[derive(Debug)]
pub enum Names {
    Fixed(ServerName<'static>),
    /// The node's own address, or the name by which it was given.
    Own(HashMap<IpAddr, Vec<ServerName<'static>>>),
}

async fn own_names(addresses: &[String]) -> HashMap<IpAddr, Vec<ServerName<'static>>> {
    let mut names: HashMap<IpAddr, Vec<ServerName<'static>>> = HashMap::new();
    for address in addresses {
        let Ok(name @ ServerName::DnsName(_)) =
            ServerName::try_from(nodes::host_of(address).to_owned())
        else {
            continue;
        };
        for ip in nodes::resolve(address).await {
            names.entry(ip).or_default().push(name.clone());
        }
    }
    names
}

fn roots(ca_file: &str) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    if ca_file.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(Failure::invalid(
                "the system has no CA certificates; install ca-certificates, or name a CA file",
            ));
        }
        return Ok(roots);
    }
    let bad = |error: &dyn fmt::Display| {
        Failure::invalid(format!("the CA file {ca_file} cannot be used: {error}"))
    };
    for certificate in CertificateDer::pem_file_iter(ca_file).map_err(|error| bad(&error))? {
        let certificate = certificate.map_err(|error| bad(&error))?;
        roots.add(certificate).map_err(|error| bad(&error))?;
    }
    if roots.is_empty() {
        return Err(bad(&"it holds no certificate in PEM form"));
    }
    Ok(roots)
}

pub fn client_config(roots: RootCertStore, names: Names) -> Result<Arc<ClientConfig>, Failure> {
    let bad = |error: &dyn fmt::Display| Failure::invalid(format!("TLS: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let webpki = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .map_err(|error| bad(&error))?;
    // The verifier only chooses the name; all else is that of rustls.
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NodeVerifier { webpki, names }))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct NodeVerifier {
    webpki: Arc<WebPkiServerVerifier>,
    names: Names,
}

impl NodeVerifier {
    /// Names of which the certificate of `node` has to bear one.
    fn wanted<'a>(&'a self, node: &'a ServerName<'a>) -> Vec<&'a ServerName<'a>> {
        match (&self.names, node) {
            (Names::Fixed(name), _) => vec![name],
            (Names::Own(names), ServerName::IpAddress(ip)) => {
                let given = names.get(&IpAddr::from(*ip)).into_iter().flatten();
                std::iter::once(node).chain(given).collect()
            }
            (Names::Own(_), _) => vec![node],
        }
    }
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        node: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let wanted = self.wanted(node);
        let mut failure = rustls::Error::General("no name to verify".to_owned());
        for name in &wanted {
            match self.webpki.verify_server_cert(
                certificate,
                intermediates,
                name,
                ocsp_response,
                now,
            ) {
                Ok(verified) => return Ok(verified),
                Err(error) => failure = error,
            }
        }
        let rustls::Error::InvalidCertificate(error) = failure else { return Err(failure) };
        let what = what_is_wrong(&error, certificate, &wanted);
        let text = format!("the certificate of node {} is refused: {what}", node.to_str());
        let error = CertificateError::Other(OtherError(Arc::new(BadCertificate(text))));
        Err(rustls::Error::InvalidCertificate(error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

fn what_is_wrong(
    error: &CertificateError,
    certificate: &CertificateDer<'_>,
    wanted: &[&ServerName<'_>],
) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; is the clock right?".to_owned()
        }
        CertificateError::UnknownIssuer if is_self_signed(certificate) => {
            "it is self-signed and not in the CA file".to_owned()
        }
        CertificateError::UnknownIssuer => "no known CA has issued it".to_owned(),
        CertificateError::BadSignature => "the known CA of that name has not issued it".to_owned(),
        CertificateError::NotValidForName => wrong_name(wanted, &[]),
        CertificateError::NotValidForNameContext { presented, .. } => wrong_name(wanted, presented),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is that of a CA; a node needs one of its own, issued by that CA".to_owned()
        }
        other => other.to_string(),
    }
}

fn wrong_name(wanted: &[&ServerName<'_>], presented: &[String]) -> String {
    let wanted: Vec<_> = wanted.iter().map(|name| name.to_str()).collect();
    let presented = match presented {
        [] => "none".to_owned(),
        names => names.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", "),
    };
    format!("it is not for {}; its names: {presented}", wanted.join(" or "))
}

/// The library writes `DnsName("node")` and `IpAddress(1.2.3.4)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.subject() == certificate.issuer())
}
