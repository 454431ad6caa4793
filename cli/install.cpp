// install: on a k3s server, without Helm and without a network. What is laid down and what becomes
// of it is cli/install; here are the order of the steps and the words.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/install/installed.hpp"
#include "cli/install/kept.hpp"
#include "cli/install/lay_down.hpp"
#include "cli/install/manifests.hpp"
#include "cli/install/package.hpp"
#include "cli/install/rollout.hpp"
#include "cli/on_server.hpp"
#include "cli/sops_file.hpp"
#include "k3s/auto_deploy.hpp"
#include "k3s/command.hpp"
#include "objects/manifests.hpp"
#include "set/names.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include "base/digest.hpp"
#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace rb::cli {

const char* const k_install_footer = R"(Examples:
  railiance-backup install --sops .sops.yaml
  railiance-backup install --backup-dir /mnt/usb/railiance --schedule "30 3 * * *" --time-zone Europe/Berlin
  railiance-backup install --dry-run

On a k3s server, as root; no Helm and no network are needed. It imports the package's image,
lays image and manifests down where k3s takes them in by itself (agent/images and
server/manifests in its data directory), and waits until controller and agent are ready.
Again: changes the values that are said, keeps the others (the recipients, too), and is how a
newer package is brought in. With several servers, run the same on each. What was installed by
Helm stays Helm's: it is refused.)";

namespace {

using install::Directories;
using install::Installer;
using install::Server;

constexpr auto k_import_timeout = std::chrono::minutes(5);
constexpr const char* k_sops_here = ".sops.yaml";

/// Everything that can be known before something is changed.
struct Plan {
  Server server;
  install::Package package;
  install::PackedImage image;
  std::string packaged; ///< The package's manifests.
  SopsFile sops;
  bool sops_named = false; ///< By the operator, now.
  install::Choices choices;
  bool laid = false;             ///< Manifests lie here.
  std::vector<std::string> kept; ///< Choices that nobody said anew.
  std::vector<nlohmann::json> objects;
  std::string text; ///< Of the manifests.
};

std::string image_file(const Server& server) {
  return k3s::image_directory(server.data_dir) + "/" + std::string(set::k_image_name);
}

Status check_architecture(const install::PackedImage& image) {
  const std::string machine = install::machine_architecture();
  if (image.architecture == machine) {
    return {};
  }
  return Error{ErrorCode::unsupported,
               "the package's image is for " + terminal_text(image.architecture) +
                   ", and this machine is " + machine,
               "take the package for " + machine};
}

/// What is not said again is as in `there`, objects of an installation.
void keep(const std::vector<nlohmann::json>& there, Plan& plan) {
  if (const auto packaged = objects::objects_of_yaml(plan.packaged)) {
    install::Kept kept = install::with_kept(
        std::move(plan.choices), install::choices_in(there), install::choices_in(*packaged));
    plan.choices = std::move(kept.choices);
    plan.kept = std::move(kept.said);
  }
}

Status take_recipients(Result<SopsFile> file, Plan& plan) {
  RB_TRY_ASSIGN(plan.sops, std::move(file));
  plan.choices.sops_yaml = plan.sops.text;
  return {};
}

/// Recipients that were installed and not named anew: they stay, whatever file lies where somebody
/// stands.
Status keep_recipients(const std::vector<nlohmann::json>& there, Plan& plan) {
  std::string text = install::choices_in(there).sops_yaml;
  if (plan.sops_named || text.empty()) {
    return {};
  }
  RB_TRY(take_recipients(sops_file_of(std::move(text), "the installed .sops.yaml"), plan));
  plan.kept.emplace_back(k_sops_here);
  return {};
}

/// Whoever may write where root happens to stand must not choose who reads the backups. (So git
/// asks whose a repository is.)
Result<std::string> read_sops_here() {
  const char* const sudo_user = std::getenv("SUDO_UID");
  RB_TRY_ASSIGN(const Fd file, open_file(k_sops_here, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    return system_error(errno, std::string(k_sops_here) + ": stat");
  }
  const std::string owner = std::to_string(status.st_uid);
  if (status.st_uid != 0 && status.st_uid != ::geteuid() &&
      (sudo_user == nullptr || owner != sudo_user)) {
    return Error{ErrorCode::permission_denied,
                 std::string(k_sops_here) + ": it lies here, belongs to another user (" + owner +
                     "), and nobody named it",
                 std::string("is it yours? name it: --sops ") + k_sops_here};
  }
  RB_TRY_ASSIGN(const SecretBytes text,
                read_secret_file(file, k_sops_here, age::k_sops_yaml_limit_bytes));
  return std::string(text.text());
}

Result<SopsFile> sops_file_here() {
  auto text = read_sops_here();
  if (!text && text.error().code == ErrorCode::not_found) {
    return read_sops_file(k_sops_here); // which says what to do
  }
  return text ? sops_file_of(*std::move(text), k_sops_here)
              : Result<SopsFile>(std::move(text).error());
}

/// Who has edited the file that lies here may expect it to be taken.
void warn_of_other_recipients(const Plan& plan, const Io& io) {
  const auto here = read_sops_here();
  if (here && *here != plan.choices.sops_yaml) {
    warn(io,
         "the .sops.yaml that lies here is not the installed one, which stays: --sops .sops.yaml "
         "takes it");
  }
}

Status keep_laid(Plan& plan, const Io& io) {
  RB_TRY_ASSIGN(const auto text, install::laid_below(plan.server.data_dir));
  if (!text) {
    return {};
  }
  if (const auto laid = objects::objects_of_yaml(*text)) {
    plan.laid = true;
    keep(*laid, plan);
    return keep_recipients(*laid, plan);
  }
  warn(io, manifest_file(plan.server) + " cannot be read, and is laid down anew");
  return {};
}

Status write_manifests(Plan& plan) {
  auto objects =
      install::objects_to_install(plan.packaged, plan.image.name, plan.choices, plan.server);
  if (!objects) {
    return std::move(objects).error().within(plan.package.manifests);
  }
  plan.objects = *std::move(objects);
  RB_TRY_ASSIGN(plan.text, install::manifest_text(plan.objects));
  return {};
}

/// "/mnt/usb/", as the tabulator completes it.
std::optional<std::string> without_slash(std::optional<std::string> path) {
  while (path && path->size() > 1 && path->ends_with('/')) {
    path->pop_back();
  }
  return path;
}

Result<Plan> make_plan(const InstallCommand& command, const Io& io) {
  Plan plan;
  plan.sops_named = !command.sops.empty();
  if (plan.sops_named) {
    RB_TRY(take_recipients(read_sops_file(command.sops), plan));
  }
  plan.choices.backup_dir = without_slash(command.backup_dir);
  plan.choices.keep_last = command.keep_last;
  plan.choices.schedule = command.schedule;
  plan.choices.time_zone = command.time_zone;
  RB_TRY(install::check_choices(plan.choices));
  RB_TRY_ASSIGN(plan.server, this_server(command.k3s, io));
  RB_TRY_ASSIGN(plan.package, package_for(command.from, io));
  RB_TRY_ASSIGN(plan.image, install::read_image(plan.package.image));
  RB_TRY(check_architecture(plan.image));
  RB_TRY_ASSIGN(plan.packaged, install::packaged_manifests(plan.package));
  RB_TRY(keep_laid(plan, io));
  if (plan.choices.sops_yaml.empty()) {
    RB_TRY(take_recipients(sops_file_here(), plan));
  } else if (!plan.sops_named) {
    warn_of_other_recipients(plan, io);
  }
  RB_TRY(write_manifests(plan));
  return plan;
}

void say_what_is_kept(const Plan& plan, const Io& io) {
  for (const std::string& value : plan.kept) {
    io.err << "as it was installed: " << terminal_text(value) << '\n';
  }
}

/// On a server to which the cluster's installation is new: each server applies its own manifests,
/// so they must say the same.
Status keep_of_cluster(Plan& plan, kube::Client& client, const Io& io) {
  RB_TRY_ASSIGN(const auto there, install::workloads_of(client, io.stop));
  keep(there, plan);
  const std::string before = plan.sops.text;
  RB_TRY(keep_recipients(there, plan));
  say_what_is_kept(plan, io);
  if (plan.sops.text != before) {
    say_who_reads(io.err, plan.sops.rule);
  }
  return plan.kept.empty() ? Status() : write_manifests(plan);
}

Status import_image(const Plan& plan, const Io& io) {
  ProcessSpec spec;
  spec.program = plan.server.k3s_program;
  spec.arguments = {"ctr", "--namespace", "k8s.io", "images", "import", plan.package.image};
  spec.environment = k3s::environment_in(plan.server.data_dir);
  spec.timeout = k_import_timeout;
  RB_TRY_ASSIGN(const ProcessResult result, io.processes->run(spec, io.stop));
  if (result.exit_status == 0) {
    return {};
  }
  const std::string words(last_line(result.err.empty() ? result.out : result.err));
  const bool full = words.find("no space left") != std::string::npos;
  return Error{result.timed_out ? ErrorCode::timeout
               : full           ? ErrorCode::no_space
                                : ErrorCode::io,
               "k3s did not import the image: " +
                   (words.empty() ? "it ended without a word" : terminal_text(words)),
               full ? "make room on the disk of " + plan.server.data_dir
                    : "is k3s up? systemctl status k3s; nothing was laid down"};
}

/// Both files. k3s looks again, too, where it has forgotten nothing and something is missing.
Status lay_down(const Plan& plan, kube::Client& client, const std::string& checksum, const Io& io) {
  RB_TRY_ASSIGN(const Directories directories, install::open_directories(plan.server.data_dir));
  const std::filesystem::path source(plan.package.image);
  RB_TRY_ASSIGN(Fd package, open_file(source.parent_path().string(), O_RDONLY | O_DIRECTORY));
  const auto package_fs = open_fs(std::move(package), source.parent_path().string());
  RB_TRY_ASSIGN(const auto image, package_fs->open_read(source.filename().string()));
  RB_TRY_ASSIGN(const install::Laid laid,
                install::lay_down(directories, *image, plan.text, io.stop));
  const auto tell = [&](const std::string& path, bool written) {
    io.err << path << (written ? ": laid down\n" : ": as it was\n");
  };
  tell(image_file(plan.server), laid.image);
  tell(manifest_file(plan.server), laid.manifests);
  if (!laid.manifests) {
    RB_TRY_ASSIGN(const bool forgotten,
                  install::forget_if_incomplete(client, plan.objects, checksum, io.stop));
    if (forgotten) {
      io.err << "something of it is missing in the cluster: k3s applies it again\n";
      RB_TRY(install::touch_manifests(*directories.manifests, plan.text));
    }
  }
  return {};
}

Status install_here(const InstallCommand& command, Plan& plan, Api& api, Io& io) {
  RB_TRY_ASSIGN(const install::Installed installed, install::who_installed(api.client(), io.stop));
  if (installed.by == Installer::helm) {
    return installed_by_helm(installed.release,
                             "go on with Helm (helm upgrade), or take that away first: helm "
                             "uninstall " +
                                 terminal_text(installed.release) +
                                 " -n railiance-backup (the sets and the CRDs stay)");
  }
  if (installed.by == Installer::kubectl) {
    warn(io, "it was installed by kubectl: from now on k3s applies it");
  }
  if (installed.by != Installer::nobody && !plan.laid) {
    RB_TRY(keep_of_cluster(plan, api.client(), io));
  }
  RB_TRY(import_image(plan, io));
  io.err << terminal_text(plan.image.name) << ": imported into k3s\n";
  const std::string checksum = to_hex(sha256(as_bytes(plan.text)));
  RB_TRY(lay_down(plan, api.client(), checksum, io));
  install::RolloutWait wait;
  wait.timeout = command.timeout;
  wait.on_line = [&](const std::string& line) { io.err << line << '\n'; };
  return install::wait_for_rollout(
      api.client(), checksum, plan.server.node_name, wait, io.clock, *io.waiter, io.stop);
}

/// For the next command, where it would not find the cluster by itself.
std::string kubeconfig_flag(const Server& server) {
  return server.kubeconfig == k3s::k_usual_kubeconfig
             ? std::string()
             : " --kubeconfig " + terminal_text(server.kubeconfig);
}

void say_what_would_be(const Plan& plan, Io& io) {
  io.out << "would import " << terminal_text(plan.image.name) << " from " << plan.package.image
         << "\nwould write  " << image_file(plan.server) << "\nwould write  "
         << manifest_file(plan.server) << " (" << count_of(plan.objects.size(), "object")
         << "; --print shows them)\nbackups go to " << install::backup_dir_in(plan.objects) << '\n';
}

} // namespace

int install(const InstallCommand& command, const ClusterChoice& cluster, Io& io) {
  auto plan = make_plan(command, io);
  if (!plan) {
    return fail(io, plan.error());
  }
  if (command.print) {
    io.out << plan->text;
    return static_cast<int>(ExitCode::done);
  }
  say_who_reads(io.err, plan->sops.rule);
  say_what_is_kept(*plan, io);
  if (command.dry_run) {
    say_what_would_be(*plan, io);
    return static_cast<int>(ExitCode::done);
  }
  const auto began = io.clock.steady_now();
  const auto api = connect_to_server(cluster, plan->server, io);
  if (!api) {
    return fail_or_stop(io, api.error(), "this host");
  }
  if (const Status done = install_here(command, *plan, **api, io); !done) {
    return fail_or_stop(io, done.error(), (*api)->server());
  }
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(io.clock.steady_now() - began);
  io.out << "railiance-backup is installed (" << took.count() << " s); backups go to "
         << install::backup_dir_in(plan->objects) << "\nnext: railiance-backup create --wait"
         << kubeconfig_flag(plan->server) << '\n';
  return static_cast<int>(ExitCode::done);
}

} // namespace rb::cli
