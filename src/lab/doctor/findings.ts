/** What stands in front of a receiver, and is told what to change. */
export const proxies = ['nginx', 'HAProxy', 'Apache', 'Caddy', 'ALB', 'receiver'] as const;
export type ProxyName = (typeof proxies)[number];

/** A fault of a way: where it is likely to be, and what ends it. */
export interface Fault {
  readonly title: string;
  /** Nothing that a sender sends today is lost by it. */
  readonly harmless?: true;
  readonly hop: string;
  /** Lines for the settings of each; nothing where that one cannot do it. */
  readonly lines: Readonly<Partial<Record<ProxyName, string>>>;
}

const AS_IT_CAME = {
  nginx:
    'proxy_pass http://receiver;  # nothing behind the name; no sub_filter, js_* or lua in this location',
  HAProxy: 'default_backend receiver  # no lua action and no filter in this frontend',
  Apache:
    'RemoveInputFilter DEFLATE SUBSTITUTE XML2ENC  # with SetInputFilter, mod_substitute and mod_security rewriting off',
  Caddy: 'reverse_proxy 127.0.0.1:3000',
  ALB: 'Target type instance or ip, not lambda: a Lambda is handed JSON with the body inside',
};

const PASSED_PATH = {
  nginx: 'merge_slashes off;\nproxy_pass http://receiver;  # no slash or path behind it, no rewrite',
  HAProxy: 'default_backend receiver  # no http-request set-path, replace-path, normalize-uri',
  Apache:
    'AllowEncodedSlashes NoDecode\nMergeSlashes Off\nProxyPass / http://127.0.0.1:3000/ nocanon ttl=60 retry=0',
  Caddy: 'reverse_proxy 127.0.0.1:3000  # no handle_path, no uri, no rewrite before it',
  ALB: 'A rule with the action forward and no URL rewrite transform',
};

const OWN_HEADERS = {
  nginx:
    'proxy_pass_request_headers on;\nunderscores_in_headers on;\n# and no proxy_set_header with the name of that header',
  HAProxy: '# no http-request del-header, add-header, set-header with that name',
  Apache: '# no RequestHeader unset, append, add or set with that name',
  Caddy: '# no header_up or request_header with that name',
  ALB: 'routing.http.drop_invalid_header_fields.enabled=false',
};

const TLS = {
  nginx:
    'ssl_certificate /etc/ssl/receiver.pem;  # its own, then each authority in between\nssl_protocols TLSv1.2 TLSv1.3;',
  HAProxy:
    'bind :443 ssl crt /etc/ssl/receiver.pem ssl-min-ver TLSv1.2  # the file: own, authorities in between, key',
  Apache:
    'SSLCertificateFile /etc/ssl/receiver.pem  # own, then those in between\nSSLProtocol -all +TLSv1.2 +TLSv1.3',
  Caddy: 'hooks.example.org {  # the very name; Caddy renews it, and speaks no TLS before 1.2\n}',
  ALB: 'A certificate of ACM for this name; SslPolicy=ELBSecurityPolicy-TLS13-1-2-2021-06',
  receiver: 'TLS_CERT_FILE=receiver.pem  # its own, then each authority in between',
};

const PASSED_TLS = {
  nginx: 'stream { server { listen 443; proxy_pass 127.0.0.1:3000; } }  # TLS reaches the receiver',
  HAProxy: 'mode tcp  # in frontend and backend; no ssl behind bind',
  ALB: 'A network load balancer with a listener of TCP, not TLS, in its place',
  receiver: 'PHENIXID_CLIENT_CERTIFICATE=required  # with TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE',
};

/** Sizes: HotDocs may put a token of many kilobytes into a query, and risr sends profiles of a megabyte. */
export const faults = {
  unrecognised: {
    title: 'The receiver answers, and takes no canary for one of this endpoint.',
    hop: 'the secret here is another one than there, the receiver there is older than canaries, or header and query are both lost',
    lines: { receiver: 'npm run keys -- status  # and npm run explain there, for what was refused' },
  },
  blocked: {
    title: 'Something else answers before the receiver does.',
    hop: 'a firewall, a rule of the proxy, or a proxy that does not reach the receiver',
    lines: {
      nginx: 'location / { proxy_pass http://receiver; }  # no auth_basic, allow, deny, limit_except',
      HAProxy: 'default_backend receiver  # no http-request deny; is the server up?',
      Apache: '<Location />\n    Require all granted\n</Location>',
      Caddy: 'reverse_proxy 127.0.0.1:3000',
      ALB: 'Exclude the paths of the receiver from WAF rules; look at the health of the target group',
    },
  },
  redirected: {
    title: 'The request is redirected; no sender follows.',
    hop: 'the proxy that speaks to the outside: a rule for https, www or a final slash',
    lines: {
      nginx:
        'location / { proxy_pass http://receiver; }  # no return 301, no rewrite … permanent; register the https address',
      HAProxy: '# no http-request redirect for these paths',
      Apache: 'DirectorySlash Off\n# no Redirect, RewriteRule … [R] for these paths',
      Caddy: '# no redir; register the https address at the sender',
      ALB: 'No rule with the action redirect for these paths',
    },
  },
  'method-changed': {
    title: 'The method arrives as another one.',
    hop: 'a proxy that follows a redirect by itself, or rewrites methods',
    lines: {
      nginx: '# no proxy_method in this location',
      HAProxy: '# no http-request set-method',
      Apache: '# no RewriteRule … [P] from another method, no REQUEST_METHOD rewriting',
      Caddy: '# no method directive',
    },
  },
  'path-case': {
    title: 'The path arrives in other letters.',
    hop: 'a proxy that writes addresses in lower case',
    lines: PASSED_PATH,
  },
  'path-slashes': {
    title: 'Slashes are merged, added or taken away.',
    hop: 'a proxy that tidies addresses',
    lines: PASSED_PATH,
  },
  'slashes-tidied': {
    title: 'Slashes of PhenixID are merged, added or taken away.',
    harmless: true,
    hop: 'a proxy that tidies addresses; this receiver takes all of them for one',
    lines: PASSED_PATH,
  },
  'path-changed': {
    title: 'The path arrives as another one.',
    hop: 'a proxy that rewrites addresses',
    lines: PASSED_PATH,
  },
  'query-changed': {
    title: 'The query does not arrive as it was sent.',
    hop: 'a proxy or a cache that rewrites or drops queries',
    lines: PASSED_PATH,
  },
  'query-limit': {
    title: 'A long query does not pass: HotDocs may put a token of that length there.',
    hop: 'a proxy with the usual buffer of 8 or 16 KB for a request line',
    lines: {
      nginx: 'large_client_header_buffers 4 33k;',
      HAProxy: 'tune.bufsize 40960',
      Apache: 'LimitRequestLine 32768',
      Caddy: '{\n    servers {\n        max_header_size 64KB\n    }\n}',
      ALB: 'Cannot be raised above 16 KB: have Advance use POST, or put a network load balancer here',
    },
  },
  'body-limit': {
    title: 'A body of the size that the receiver takes does not pass.',
    hop: 'a proxy or firewall with a smaller limit',
    lines: {
      nginx: 'client_max_body_size 8m;',
      HAProxy: '# no http-request deny by req.body_size',
      Apache: 'LimitRequestBody 8388608',
      Caddy: 'request_body {\n    max_size 8MB\n}',
      ALB: 'WAF inspects a part only: let oversized bodies pass (OversizeHandling CONTINUE)',
    },
  },
  'refusal-lost': {
    title: 'The refusal of a body that is too large (413) does not reach its sender.',
    hop: 'a proxy that breaks off when the receiver answers before the body is over',
    lines: {
      nginx: 'proxy_request_buffering on;\nclient_max_body_size 8m;',
      HAProxy: 'option http-buffer-request',
      Apache: 'LimitRequestBody 8388608',
      Caddy: 'request_body {\n    max_size 8MB\n}',
    },
  },
  'chunked-refused': {
    title: 'A body in chunks does not pass.',
    hop: 'a proxy or firewall that demands a Content-Length',
    lines: { nginx: 'proxy_http_version 1.1;\nproxy_request_buffering on;', Apache: 'SetEnv proxy-sendcl 1' },
  },
  'expect-refused': {
    title: 'A sender that asks first (Expect: 100-continue) gets no useful answer.',
    hop: 'a proxy that does not know the header; .NET and curl send it',
    lines: {
      nginx: 'proxy_set_header Expect "";',
      HAProxy: 'http-request del-header Expect',
      Apache: 'RequestHeader unset Expect early',
      Caddy: 'header_up -Expect',
    },
  },
  'body-rewritten': {
    title: 'The body arrives in other bytes.',
    hop: 'a firewall or gateway that reads JSON and writes it anew',
    lines: AS_IT_CAME,
  },
  'body-recoded': {
    title: 'The body arrives in another encoding of letters.',
    hop: 'a gateway that takes UTF-8 for something else',
    lines: AS_IT_CAME,
  },
  'body-base64': {
    title: 'The body arrives in base64.',
    hop: 'an API gateway in front of a function, without isBase64Encoded',
    lines: AS_IT_CAME,
  },
  'body-compressed': {
    title: 'The body arrives packed.',
    hop: 'a proxy or an agent that compresses requests',
    lines: AS_IT_CAME,
  },
  'body-inflated': {
    title: 'A packed body is unpacked on its way.',
    harmless: true,
    hop: 'a proxy that inflates requests',
    lines: AS_IT_CAME,
  },
  'header-dropped': {
    title: 'A header does not arrive.',
    hop: 'a proxy that passes on only headers that it knows, or keeps credentials',
    lines: OWN_HEADERS,
  },
  'header-doubled': {
    title: 'A header arrives twice.',
    hop: 'a proxy that adds one of its own, or two that both do',
    lines: OWN_HEADERS,
  },
  'header-joined': {
    title: 'Two headers of one name arrive as one.',
    harmless: true,
    hop: 'a proxy that joins them with a comma',
    lines: {},
  },
  'header-changed': {
    title: 'A header arrives with another value.',
    hop: 'a proxy that puts a value of its own there',
    lines: OWN_HEADERS,
  },
  'keep-alive': {
    title: 'The proxy keeps its connections to the receiver as long as the receiver does, or longer.',
    hop: 'the proxy right in front of the receiver: now and then it writes a delivery into a connection that is just being closed',
    lines: {
      nginx: 'keepalive_timeout 60s;  # in upstream',
      HAProxy: 'timeout http-keep-alive 60s\npool-purge-delay 30s',
      Apache: 'ProxyPass / http://127.0.0.1:3000/ nocanon ttl=60 retry=0',
      Caddy: 'transport http {\n    keepalive 60s\n}',
      ALB: 'idle_timeout.timeout_seconds=60',
      receiver: 'KEEP_ALIVE_MS=75000  # longer than that of the proxy',
    },
  },
  clock: {
    title: 'The clocks differ: tokens that say when they were made are refused, or taken for too long.',
    hop: 'the machine of the receiver, or this one: compare both with timedatectl',
    lines: { receiver: 'timedatectl set-ntp true' },
  },
  'tls-old': { title: 'TLS older than 1.2 is spoken.', hop: 'whatever ends TLS', lines: TLS },
  'tls-untrusted': {
    title: 'The certificate is not trusted: senders hang up.',
    hop: 'whatever ends TLS: of an authority that nobody knows, or without those in between',
    lines: TLS,
  },
  'tls-name': { title: 'The certificate is for another name.', hop: 'whatever ends TLS', lines: TLS },
  'tls-expiring': {
    title: 'The certificate expires soon, or has.',
    hop: 'whatever ends TLS, or what should renew it',
    lines: TLS,
  },
  'certificate-lost': {
    title: 'The client certificate does not reach the receiver.',
    hop: 'a proxy that ends TLS in front of it',
    lines: PASSED_TLS,
  },
  'certificate-bypassed': {
    title: 'The rule that a client certificate is needed can be walked around.',
    hop: 'the proxy that demands it: by path, or by a header that everybody can write',
    lines: PASSED_TLS,
  },
  'certificate-not-demanded': {
    title: 'A delivery passes without the client certificate.',
    harmless: true,
    hop: 'nothing demands it',
    lines: PASSED_TLS,
  },
  'address-believed': {
    title: 'The receiver believes an X-Forwarded-For that its sender has written.',
    hop: 'TRUST_PROXY_HOPS is larger than the number of proxies, or a proxy passes the header on as it came',
    lines: {
      nginx: 'proxy_set_header X-Forwarded-For $remote_addr;',
      HAProxy: 'http-request set-header X-Forwarded-For %[src]',
      Apache: 'RequestHeader unset X-Forwarded-For early',
      Caddy: '# no trusted_proxies that cover the outside',
      ALB: 'routing.http.xff_header_processing.mode=append',
      receiver: 'TRUST_PROXY_HOPS=1  # as many as there are, 0 for none',
    },
  },
  'address-of-proxy': {
    title: 'All senders count for the address of the proxy.',
    harmless: true,
    hop: 'the receiver does not know of the proxy in front of it',
    lines: { receiver: 'TRUST_PROXY_HOPS=1  # as many as there are' },
  },
  'token-echoed': {
    title: 'A reply repeats what proves a delivery.',
    hop: 'a proxy with an error page or a header that shows the address; what it shows it likely logs, too',
    lines: {
      nginx:
        'error_page 414 = /414.html;  # constant pages; no add_header with $request_uri; log_format without the query',
      HAProxy: 'errorfile 400 /etc/haproxy/errors/400.http  # constant; no http-response set-header with url',
      Apache: 'ErrorDocument 404 "Not found"  # constant; LogFormat with %U, not %r',
      Caddy: '# no {uri} in respond or header; log filter: request>uri query delete token',
    },
  },
  settings: {
    title: 'What arrived is what was sent, and yet the receiver would have refused it.',
    harmless: true,
    hop: 'a setting of the receiver, not the way: its log has the words, of outcome canary',
    lines: { receiver: '--switch says here how the sender is set: phenixid:encoding=base64' },
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultId = keyof typeof faults;

/** A fault that was found, in words on what was sent and what arrived. */
export interface Found {
  readonly id: FaultId;
  readonly detail: string;
}
