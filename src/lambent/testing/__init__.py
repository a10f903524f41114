"""The laws every transform and flow keeps, for layers of one's own too.

``check_transform`` and ``check_flow`` run all that the flags promise; ``laws_for`` lists them, for
a test suite that wants one test for each. Nothing here needs a test runner.
"""

from lambent.testing.case import Case as Case
from lambent.testing.case import labels as labels
from lambent.testing.case import normal as normal
from lambent.testing.case import pixels as pixels
from lambent.testing.case import uniform as uniform
from lambent.testing.grid import cell_probabilities as cell_probabilities
from lambent.testing.grid import check_normalised as check_normalised
from lambent.testing.jacobian import jacobian as jacobian
from lambent.testing.jacobian import log_abs_det as log_abs_det
from lambent.testing.law import Law as Law
from lambent.testing.subject import Subject as Subject
from lambent.testing.subject import perturbed as perturbed
from lambent.testing.subject import prepare as prepare
from lambent.testing.suite import check as check
from lambent.testing.suite import check_flow as check_flow
from lambent.testing.suite import check_transform as check_transform
from lambent.testing.suite import laws_for as laws_for
from lambent.testing.surjection import check_bound as check_bound
from lambent.testing.surjection import check_total as check_total
from lambent.testing.surjection import enumerated_log_prob as enumerated_log_prob
