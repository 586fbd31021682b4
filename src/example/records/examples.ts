import type { Records } from './records.ts';

/** People the reference handlers can look up, so that the first event already finds something. */
export function addExamplePeople(records: Records): void {
  if (records.list('person').length > 0) return;
  records.put('person', 'm.keller@acme.example', {
    tenant: 'Jonas Weber',
    monthlyRent: 1450.5,
    leaseStart: '2024-06-01',
    petsAllowed: false,
    utilities: ['Water', 'Heating'],
    occupants: [
      { name: 'Lea Weber', birthdate: '2015-02-11' },
      { name: 'Tim Weber', birthdate: '2018-09-30' },
    ],
  });
  records.put('person', 'asa.lind@example.org', { collegeNumber: 'A-20931' });
}
