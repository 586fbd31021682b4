import type { HotdocsChoices } from './switches.ts';
import type { AssembledDocument, Version, WorkItem } from './work-items.ts';

// Published field by field for NewWorkItemVersionComplete only; the others are what is assumed in the source's catalogue.

/** Where the platform is, and how it writes the addresses of its documents. */
export interface Addresses {
  readonly baseUrl: string;
  readonly docUrl: HotdocsChoices['docUrl'];
}

export function aboutInterview(item: WorkItem): object {
  const { id: workItemId, name: workItemName, workGroupId, templatePackageId, user } = item;
  return {
    user: { id: user.id, name: user.name, email: user.loginName },
    workItemId,
    workItemName,
    workGroupId,
    templatePackageId,
    createdBy: accountOf(item),
  };
}

export function aboutInterviewEvent(item: WorkItem, version: Version, eventName: string): object {
  const { templatePackageId, workGroupId } = item;
  return { eventName, ...aboutVersion(item, version), templatePackageId, workGroupId };
}

export function aboutProcessing(item: WorkItem, version: Version, addresses: Addresses): object {
  const documents = version.documents.map((document) => {
    const { id, name, fileName, contentType: mimeType } = document;
    return { id, name, url: urlOf(document, item, version, addresses), fileName, mimeType };
  });
  return { ...aboutVersion(item, version), documents };
}

export function aboutCompletion(item: WorkItem, version: Version, addresses: Addresses): object {
  const documents = version.documents.map((document) => {
    const { id, name } = document;
    return { id, name, url: urlOf(document, item, version, addresses) };
  });
  return { ...aboutVersion(item, version), documents };
}

export function aboutClick(item: WorkItem, version: Version, name: string, baseUrl: string): object {
  const { id: userId, loginName } = item.user;
  const [tenancyMoniker] = new URL(baseUrl).hostname.split('.');
  const ids = { workItemId: item.id, workItemVersionId: version.id };
  return { ...ids, userId, loginName, tenancyMoniker, actionLinkName: name };
}

function aboutVersion(item: WorkItem, version: Version): object {
  const { id: workItemId, name: workItemName } = item;
  return { workItemId, workItemVersionId: version.id, workItemName, createdBy: accountOf(item) };
}

function accountOf({ user: { id, loginName } }: WorkItem): object {
  return { id, loginName, accountType: 'UserAccount' };
}

/** Calls without a version know completed ones only, so the usual address of a document in process has it. */
function urlOf(
  { id }: AssembledDocument,
  item: WorkItem,
  version: Version,
  { baseUrl, docUrl }: Addresses,
): string {
  const versioned = docUrl === 'usual' ? version.status === 'PostProcessing' : docUrl === 'v2.0-versioned';
  return versioned
    ? `${baseUrl}/HdaApi/rest/v2.0/WorkItems/${item.id}/Versions/${version.id}/Documents/${id}/Content`
    : `${baseUrl}/HdaApi/rest/v1.1/workitems/${item.id}/documents/${id}/content`;
}
