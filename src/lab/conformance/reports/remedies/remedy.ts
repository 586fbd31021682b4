/** What mends most of what the suite finds: the same few things in every language. */
export const remedies = {
  rawBody: 'Keep the bytes as they came, verify them, then parse them',
  comparison: 'Compare the whole signature, in constant time',
  token: 'Leave tokens to a library, and say which algorithm is agreed',
  place: 'Take the token from one place, once',
  storeFirst: 'Store, then answer; read what is stored later',
  duplicates: 'Let a unique index decide what is new',
  order: 'Compare revisions as numbers, under a lock',
  limits: 'Limit heads and bodies, and unpack nothing',
  timeouts: 'Give up on whoever does not finish',
  errors: 'Refuse everything with one short answer',
  methods: 'Serve one path by the methods of its sender',
  escape: 'Escape what you show',
} as const;
export type Remedy = keyof typeof remedies;

/** How each of them looks in a framework; a line or a few, to start from. */
export type Snippets = Readonly<Record<Remedy, string>>;

/**
 * Which of them mends what a rule finds: the first pattern that an id fits. `none` where it is a matter of the server or the
 * proxy in front, and the rule's own words say what to do.
 */
export const remedyOfRule: readonly (readonly [rule: RegExp, remedy: Remedy | 'none'])[] = [
  [/^A28-/, 'duplicates'],
  [/^A2[5-7]-/, 'place'],
  [/^A/, 'token'],
  [/^B(?:8|9|12)-/, 'rawBody'],
  [/^B7-/, 'place'],
  [/^B/, 'comparison'],
  [/^C2-/, 'place'],
  [/^C/, 'comparison'],
  [/^D/, 'none'],
  [/^E[45]-/, 'limits'],
  [/^E6-/, 'storeFirst'],
  [/^E/, 'rawBody'],
  [/^F(?:5|6|9)-/, 'limits'],
  [/^F/, 'storeFirst'],
  [/^G(?:3|5|10|11|12)-/, 'limits'],
  [/^G(?:4|8|13|14|15)-/, 'timeouts'],
  [/^G/, 'none'],
  [/^H4-/, 'none'],
  [/^H/, 'methods'],
  [/^I7-/, 'order'],
  [/^I10-/, 'rawBody'],
  [/^I/, 'duplicates'],
  [/^J(?:9|10|11)-/, 'none'],
  [/^J12-/, 'storeFirst'],
  [/^J/, 'escape'],
  [/^K5-/, 'errors'],
  [/^K4-(?:not-again|duplicate)/, 'duplicates'],
  [/^K/, 'storeFirst'],
  [/^L3-/, 'methods'],
  [/^L[57]-/, 'place'],
  [/^L/, 'none'],
  [/^U2-/, 'storeFirst'],
  [/^U(?:7|14)-/, 'none'],
  [/^U(?:8|12)-/, 'methods'],
  [/^U/, 'errors'],
];
