//! A module with another manifest, so that rules about manifests need no module of their own.

use godwit_toolchain::MANIFEST_SECTION;

/// A component with its manifest replaced.
///
/// A component is eight bytes and then sections: a byte for the kind, the length as LEB128, the content. A
/// custom section is of kind 0, and its content begins with the length and the bytes of its name.
pub fn with_manifest(component: &[u8], manifest: &serde_json::Value) -> Vec<u8> {
    let (head, mut rest) = component.split_at(8);
    let mut made = head.to_vec();
    while let Some((&kind, after)) = rest.split_first() {
        let (length, content) = number(after);
        let (content, next) = content.split_at(length);
        if kind != 0 || name_of(content) != MANIFEST_SECTION.as_bytes() {
            made.extend_from_slice(&rest[..rest.len() - next.len()]);
        }
        rest = next;
    }
    append(&mut made, manifest.to_string().as_bytes());
    made
}

fn name_of(content: &[u8]) -> &[u8] {
    let (length, name) = number(content);
    &name[..length]
}

fn append(component: &mut Vec<u8>, manifest: &[u8]) {
    let mut content = leb(MANIFEST_SECTION.len());
    content.extend_from_slice(MANIFEST_SECTION.as_bytes());
    content.extend_from_slice(manifest);
    component.push(0);
    component.extend(leb(content.len()));
    component.extend(content);
}

fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0).expect("a number in LEB128 ends") + 1;
    let digit = |sum: usize, (i, byte): (usize, &u8)| sum | (usize::from(byte & 0x7f) << (7 * i));
    (bytes[..length].iter().enumerate().fold(0, digit), &bytes[length..])
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits fit");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_and_more_bytes() {
        for n in [0, 127, 128, 300, 1 << 20] {
            assert_eq!(number(&leb(n)), (n, &[][..]));
        }
    }

    #[test]
    fn a_manifest_is_replaced_and_all_else_stays() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        component.extend(b"\x05\x03abc");
        let bare = component.clone();
        append(&mut component, br#"{"old":true}"#);
        let made = with_manifest(&component, &serde_json::json!({ "new": true }));
        assert!(made.starts_with(&bare) && made.ends_with(br#"{"new":true}"#));
        assert!(!made.windows(3).any(|w| w == b"old"));
    }
}
