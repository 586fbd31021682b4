/**
 * A certificate that signs itself, for the name of a real sender, with its key. Both are public, and nothing may ever be
 * made to trust them. Made with `openssl req -x509 -newkey ec -subj /O=Hospital/CN=phenixid -days 36500`.
 */
export const STRANGER = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBpDCCAUmgAwIBAgIUAIAmwkwt2nWo5zmNmJSUYaPp/CUwCgYIKoZIzj0EAwIw
JjERMA8GA1UECgwISG9zcGl0YWwxETAPBgNVBAMMCHBoZW5peGlkMCAXDTI2MTEy
MjAzNDkxN1oYDzIxMjYxMDI5MDM0OTE3WjAmMREwDwYDVQQKDAhIb3NwaXRhbDER
MA8GA1UEAwwIcGhlbml4aWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATcoSvQ
FNrYHPYSu3/nEjcZixBb+3b41yQE/dAtOke1Fx87hymso0LV/B25MSb8e2NcOUbK
G3ruCCO9zxOyLhwDo1MwUTAdBgNVHQ4EFgQUKfrbheg5fdSb/9QQsy1IVLSZl9ww
HwYDVR0jBBgwFoAUKfrbheg5fdSb/9QQsy1IVLSZl9wwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNJADBGAiEAqu5muiS4VLggbZNbV/+xXvXAtSb3pEz1+LL+
4vLicIYCIQC/Yx1XvePAMpbo15MxgQIsOO810KfMxbCUdg0JVa3+qQ==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgg3DPO257jRc5SeMK
nmz8X/9RfVuoRlzG/9VSBtAeC4KhRANCAATcoSvQFNrYHPYSu3/nEjcZixBb+3b4
1yQE/dAtOke1Fx87hymso0LV/B25MSb8e2NcOUbKG3ruCCO9zxOyLhwD
-----END PRIVATE KEY-----
`,
} as const;
