import type { Snippets } from './remedy.ts';

export const aspnet: Snippets = {
  rawBody: `
app.MapPost("/phenixid", async (HttpRequest request) => {
    using var copy = new MemoryStream();
    await request.Body.CopyToAsync(copy);
    byte[] bytes = copy.ToArray(); // verify them, then JsonDocument.Parse(bytes)`,
  comparison: `
byte[] right = HMACSHA256.HashData(secret, bytes);
bool holds = Regex.IsMatch(text, @"\\A[0-9a-f]{64}\\z")
    && CryptographicOperations.FixedTimeEquals(right, Convert.FromHexString(text));`,
  token: `
var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters {
    ValidAlgorithms = ["HS256"], IssuerSigningKey = new SymmetricSecurityKey(secretOfThisEndpoint),
    ValidateIssuer = false, ValidateAudience = false, RequireExpirationTime = false });
if (!result.IsValid) return Refuse(context);`,
  place: `
var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(bytes)); // of the body alone
if (!form.TryGetValue("token", out var tokens) || tokens.Count != 1) return Refuse(context);`,
  storeFirst: `
await db.Database.ExecuteSqlAsync($"INSERT INTO inbox (endpoint, body) VALUES ({endpoint}, {bytes})");
return Results.Json(new { ok = true }); // a worker reads the table, and puts aside what it cannot use`,
  duplicates: `
await using var transaction = await db.Database.BeginTransactionAsync();
int rows = await db.Database.ExecuteSqlAsync(
    $"INSERT INTO seen (endpoint, id) VALUES ({endpoint}, {id}) ON CONFLICT DO NOTHING");
if (rows == 1) await HandleAsync(received); // a duplicate is answered as the first was
await transaction.CommitAsync();`,
  order: `
int revision = int.Parse(rev.Split('-')[0]); // "10-x" is newer than "9-x"
await db.Database.ExecuteSqlAsync($"UPDATE profile SET rev = {revision}, data = {data} WHERE id = {id} AND rev < {revision}");`,
  limits: `
builder.WebHost.ConfigureKestrel(options => {
    options.Limits.MaxRequestBodySize = 1_048_576;
    options.Limits.MaxRequestHeadersTotalSize = 16_384;
});`,
  timeouts: `
builder.WebHost.ConfigureKestrel(options => {
    options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
    options.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
});`,
  errors: `
builder.WebHost.ConfigureKestrel(options => options.AddServerHeader = false);
app.UseExceptionHandler(error => error.Run(context => context.Response.WriteAsJsonAsync(new { ok = false })));
static IResult Refuse(HttpContext context) {
    context.Response.Headers.WWWAuthenticate = "Signature";
    return Results.Json(new { ok = false }, statusCode: 401);
}`,
  methods: `
app.MapPost("/phenixid", Receive); // other methods get 405 with Allow by themselves
// Routes do not mind letter case: compare request.Path.Value with "/phenixid" where that matters`,
  escape: `
string escaped = HtmlEncoder.Default.Encode(text); // in Razor @text, never @Html.Raw(text)`,
};
