# The conformance suite as an image; from the top of the project:
#   npm run conform -- --bundle && docker build --tag conform --file templates/deploy/docker/conform.Dockerfile .
#   docker run --rm --network host --env-file conform.env --volume "$PWD/reports:/reports" conform --url http://127.0.0.1:8080
# conform.env has the receiver's secrets; reports are written where it is told, --report html=/reports/conform.html, as user 1500.
ARG NODE=node:26-slim

FROM ${NODE}
COPY conform.mjs /
USER 1500:1500
ENTRYPOINT ["node", "/conform.mjs"]
